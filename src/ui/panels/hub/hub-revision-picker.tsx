import { useEffect, useId, useState } from 'react';
import { useStore } from 'zustand';
import {
  askRevisions,
  chooseRevision,
  type FoundRevision,
  type RevisionList,
  revisionStore,
} from '@/store/actions/revisions';
import { Button } from '@/ui/components/button';
import styles from './hub-revisions.module.css';

interface PickerProps {
  readonly reference: string;
  readonly repo: string;
  /** The one in force. */
  readonly revision: string;
}

/** Chooses the revision a listed repo is read at. The Hub is asked for them when this appears. */
export function HubRevisionPicker({ reference, repo, revision }: PickerProps) {
  const list = useStore(revisionStore, (lists) => lists[repo]);
  useEffect(() => {
    void askRevisions(repo);
  }, [repo]);
  return (
    <div className={styles.picker} role="group" aria-label={`Revisions of ${repo}`}>
      {list?.status === 'listed' ? (
        <RevisionSelect list={list} reference={reference} revision={revision} />
      ) : (
        <Waiting list={list} repo={repo} />
      )}
      <CommitField reference={reference} />
    </div>
  );
}

function Waiting({
  list,
  repo,
}: {
  readonly list: RevisionList | undefined;
  readonly repo: string;
}) {
  if (list?.status !== 'failed') return <p className={styles.note}>Asking for the revisions…</p>;
  return (
    <p className={styles.note}>
      {list.error.message} {list.error.hint}{' '}
      <Button
        look="quiet"
        onClick={() => {
          void askRevisions(repo);
        }}
      >
        Ask again
      </Button>
    </p>
  );
}

const KINDS: readonly { readonly label: string; readonly kinds: readonly string[] }[] = [
  { label: 'Branches', kinds: ['branch'] },
  { label: 'Conversions to safetensors by the Hub’s bot', kinds: ['conversion'] },
  { label: 'Tags', kinds: ['tag'] },
  { label: 'Pull requests', kinds: ['pull request'] },
];

interface SelectProps {
  readonly list: Extract<RevisionList, { readonly status: 'listed' }>;
  readonly reference: string;
  readonly revision: string;
}

function RevisionSelect({ list, reference, revision }: SelectProps) {
  const id = useId();
  const isKnown = list.revisions.some((one) => one.revision === revision);
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={styles.label}>
        Branch, tag or pull request
      </label>
      <select
        id={id}
        className={styles.select}
        value={revision}
        onChange={({ target }) => {
          chooseRevision(reference, target.value);
        }}
      >
        {!isKnown && <option value={revision}>{revision}</option>}
        {KINDS.map(({ label, kinds }) => {
          const own = list.revisions.filter(({ kind }) => kinds.includes(kind));
          if (own.length === 0) return null;
          return (
            <optgroup key={label} label={label}>
              {own.map((one) => (
                <option key={one.revision} value={one.revision}>
                  {optionText(one)}
                </option>
              ))}
            </optgroup>
          );
        })}
      </select>
    </div>
  );
}

/** Digits of a commit that people write. */
const SHORT = 7;

function optionText({ revision, kind, commit }: FoundRevision): string {
  const note = kind === 'conversion' ? ', safetensors by the Hub’s bot' : '';
  return `${revision} (${commit.slice(0, SHORT)}${note})`;
}

/** For commits, which nobody lists. */
function CommitField({ reference }: { readonly reference: string }) {
  const id = useId();
  const [text, setText] = useState('');
  const [isRefused, setIsRefused] = useState(false);
  const use = (): void => {
    const isTaken = text.trim() !== '' && chooseRevision(reference, text.trim()) !== null;
    setIsRefused(!isTaken);
    if (isTaken) setText('');
  };
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={styles.label}>
        Commit
      </label>
      <div className={styles.line}>
        <input
          id={id}
          className={styles.commit}
          value={text}
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          aria-invalid={isRefused}
          aria-describedby={isRefused ? `${id}-why` : undefined}
          onChange={({ target }) => {
            setText(target.value);
            setIsRefused(false);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') use();
          }}
        />
        <Button onClick={use}>Use this commit</Button>
      </div>
      {isRefused && (
        <p id={`${id}-why`} className={styles.note}>
          Paste a commit’s hash from the repo’s page, under Files, History.
        </p>
      )}
    </div>
  );
}
