import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { addRepos, openRepos, removeRepo, setAccessToken, setHub } from '@/store/hub/actions';
import { hubHost } from '@/store/hub/hub-url';
import { clearKeptFiles, refreshKeptFiles } from '@/store/hub/kept-files';
import { selectHub, selectKept, selectRepos } from '@/store/hub/selectors';
import { hubStore } from '@/store/hub/state';
import { selectStatus } from '@/store/job/selectors';
import { jobStore } from '@/store/job/state';
import { Button } from '@/ui/components/button';
import { bytes } from '@/ui/format';
import styles from './hub-panel.module.css';

/** Repos of the Hugging Face Hub: a list that costs nothing until it is opened. */
export function HubPanel() {
  const hubUrl = useStore(hubStore, selectHub);
  const host = hubHost(hubUrl);
  return (
    <div className={styles.hub} role="group" aria-label="From the Hugging Face Hub">
      <RepoEntry host={host} />
      <div className={styles.side}>
        {hubUrl !== null && <OtherHub host={host} />}
        <TokenEntry host={host} />
      </div>
      <RepoList host={host} />
      <KeptFiles />
    </div>
  );
}

const FIELD_ID = 'hub-repo';

interface HostProps {
  readonly host: string;
}

function RepoEntry({ host }: HostProps) {
  const [text, setText] = useState('');
  const add = (): void => {
    addRepos(text);
    setText('');
  };
  return (
    <div className={styles.entry}>
      <label htmlFor={FIELD_ID} className={styles.label}>
        Hugging Face repo
      </label>
      <div className={styles.line}>
        <textarea
          id={FIELD_ID}
          rows={1}
          value={text}
          className={styles.field}
          aria-describedby="hub-repo-hint"
          placeholder="owner/name"
          autoCapitalize="none"
          autoCorrect="off"
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => {
            setText(event.target.value);
          }}
          onKeyDown={(event) => {
            if (!isPlainEnter(event)) return;
            event.preventDefault();
            add();
          }}
        />
        <Button onClick={add}>Add from Hub</Button>
      </div>
      <p id="hub-repo-hint" className={styles.hint}>
        owner/name, with @revision or /folder behind it where needed, or the address of its page on{' '}
        {host}; several at once, with blanks or line breaks between them.
      </p>
    </div>
  );
}

/** A link chose the Hub: the visitor shall see which, and have a way back. */
function OtherHub({ host }: HostProps) {
  return (
    <p className={styles.other}>
      <span>
        The link that you followed reads repos from <strong>{host}</strong>.
      </span>
      <Button
        look="quiet"
        onClick={() => {
          setHub(null);
        }}
      >
        Use huggingface.co
      </Button>
    </p>
  );
}

function TokenEntry({ host }: HostProps) {
  return (
    <details>
      <summary className={styles.summary}>Private or gated repos: access token</summary>
      <div className={styles.entry}>
        <label htmlFor="hub-token" className={styles.label}>
          Access token (kept in memory only)
        </label>
        <input
          // React would copy a value of its own keeping into the document's text; the other Hub's
          // field is another field.
          key={host}
          id="hub-token"
          type="password"
          className={styles.field}
          aria-describedby="hub-token-hint"
          autoComplete="off"
          onChange={(event) => {
            setAccessToken(event.target.value);
          }}
        />
        <p id="hub-token-hint" className={styles.hint}>
          Sent to {host} and nowhere else, and gone when this page closes. One with read access is
          enough: the Hub makes them in its settings, under Access Tokens.
        </p>
      </div>
    </details>
  );
}

/** What was read before is not fetched again; how much that is, and the way to be rid of it. */
function KeptFiles() {
  const kept = useStore(hubStore, selectKept);
  const status = useStore(jobStore, selectStatus);
  // Every job's end may have added to it.
  useEffect(() => {
    void refreshKeptFiles();
  }, [status]);
  if (kept === null || kept.bytes === 0) return null;
  return (
    <p className={styles.other}>
      <span>{bytes(kept.bytes)} from the Hub are kept on this disk for the next time.</span>
      <Button
        look="quiet"
        onClick={() => {
          void clearKeptFiles();
        }}
      >
        Clear<span className="visually-hidden"> the files kept from the Hub</span>
      </Button>
    </p>
  );
}

/** What is to be opened. Taking a repo away costs as little as adding one: nothing is fetched. */
function RepoList({ host }: HostProps) {
  const repos = useStore(hubStore, selectRepos);
  const heading = useRef<HTMLHeadingElement>(null);
  if (repos.length === 0) return null;
  return (
    <div className={styles.chosen}>
      <h3 ref={heading} tabIndex={-1} className={styles.label}>
        Repos to open
      </h3>
      <ul className={styles.repos} aria-label="Repos to open">
        {repos.map((repo) => (
          <li key={repo} className={styles.repo}>
            <span className={styles.name}>{repo}</span>
            <Button
              look="quiet"
              onClick={() => {
                removeRepo(repo);
                // The button goes with its repo, the list with the last: the keyboard stays near.
                const field = repos.length === 1 ? document.getElementById(FIELD_ID) : null;
                (field ?? heading.current)?.focus();
              }}
            >
              Remove<span className="visually-hidden"> {repo}</span>
            </Button>
          </li>
        ))}
      </ul>
      <div className={styles.line}>
        <Button look="strong" onClick={openRepos}>
          Open these repos
        </Button>
        <p className={styles.hint}>
          {repos.length === 1
            ? 'One more is needed: a base and the models fine-tuned from it, or a base and its adapters, belong in the list.'
            : `Nothing is fetched from ${host} before you press this. A base and the models fine-tuned from it, or a base and its adapters, belong together.`}
        </p>
      </div>
    </div>
  );
}

/** Enter adds, as in a field of one line; with Shift it breaks the line. */
function isPlainEnter({ key, shiftKey, nativeEvent }: KeyboardEvent): boolean {
  return key === 'Enter' && !shiftKey && !nativeEvent.isComposing;
}
