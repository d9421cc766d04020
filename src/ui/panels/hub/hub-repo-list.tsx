import { type RefObject, useRef, useState } from 'react';
import { useStore } from 'zustand';
import { openRepos, removeRepo } from '@/store/actions/hub';
import { commitRead, placeOf, referenceOf, type RepoRef } from '@/store/actions/revisions';
import { selectHub, selectRepos } from '@/store/hub/selectors';
import { hubStore } from '@/store/state/hub';
import { type SourcesState, sourcesStore } from '@/store/state/sources';
import { Button } from '@/ui/components/button';
import { HUB_FIELD_ID } from './hub-repo-entry';
import { HubRevisionPicker } from './hub-revision-picker';
import styles from './hub-panel.module.css';

/** What is to be opened. Taking a repo away costs as little as adding one: no file is fetched. */
export function HubRepoList({ host }: { readonly host: string }) {
  const repos = useStore(hubStore, selectRepos);
  const hubUrl = useStore(hubStore, selectHub);
  const isOpen = useStore(sourcesStore, ({ request }) => areOpen(request, repos));
  const heading = useRef<HTMLHeadingElement>(null);
  if (repos.length === 0) return null;
  return (
    <>
      <h3 ref={heading} tabIndex={-1} className={styles.label}>
        Repos to open
      </h3>
      <ul className={styles.repos} aria-label="Repos to open">
        {listed(repos, hubUrl).map(({ key, ref, ...one }) => (
          <Listed key={key} {...one} named={ref} isLast={repos.length === 1} heading={heading} />
        ))}
      </ul>
      <div className={styles.line}>
        <Button look={isOpen ? 'plain' : 'strong'} onClick={openRepos}>
          Open these repos
        </Button>
        <p className={styles.hint}>
          {repos.length === 1
            ? 'One more is needed: a base and the models fine-tuned from it, or a base and its adapters, belong in the list.'
            : `No file is fetched from ${host} before you press this. A base and the models fine-tuned from it, or a base and its adapters, belong together.`}
        </p>
      </div>
    </>
  );
}

/** Whether the list is what was asked for last: then something else is the thing to do next. */
function areOpen(request: SourcesState['request'], repos: readonly string[]): boolean {
  return request?.kind === 'hub' && request.repos.join(' ') === repos.join(' ');
}

interface Reference {
  /** As it stands in the list. */
  readonly reference: string;
  /** `owner/name` with its folder; the reference itself where that can not be told. */
  readonly place: string;
  /** Null where the text names no repo. */
  readonly ref: RepoRef | null;
}

/** Each with a key that another revision of it keeps, so that its picker stays open. */
function listed(
  repos: readonly string[],
  hubUrl: string | null,
): (Reference & { readonly key: string })[] {
  const seen = new Map<string, number>();
  return repos.map((reference) => {
    const ref = referenceOf(reference, { hubUrl });
    const place = ref === null ? reference : placeOf(ref);
    const number = seen.get(place) ?? 0;
    seen.set(place, number + 1);
    return { key: `${place} ${number}`, reference, place, ref };
  });
}

interface ListedProps extends Omit<Reference, 'ref'> {
  readonly named: RepoRef | null;
  readonly isLast: boolean;
  readonly heading: RefObject<HTMLElement | null>;
}

function Listed({ reference, place, named, isLast, heading }: ListedProps) {
  const [isOpen, setIsOpen] = useState(false);
  const commit = useStore(sourcesStore, (state) => commitOf(state, reference, place));
  const revision = named?.revision ?? 'main';
  return (
    <li className={styles.repo}>
      <span className={styles.name}>
        {place}
        {named !== null && <span className={styles.revision}>@{revision}</span>}
        {commit !== null && !revision.startsWith(commit.slice(0, SHORT)) && (
          <span className={styles.revision}> read at {commit.slice(0, SHORT)}</span>
        )}
      </span>
      {named !== null && (
        <button
          type="button"
          className={styles.toggle}
          aria-expanded={isOpen}
          onClick={() => {
            setIsOpen(!isOpen);
          }}
        >
          Revision<span className="visually-hidden"> of {place}</span>
        </button>
      )}
      <Button
        look="quiet"
        onClick={() => {
          removeRepo(reference);
          // The button goes with its repo, the list with the last: the keyboard stays near.
          const field = isLast ? document.getElementById(HUB_FIELD_ID) : null;
          (field ?? heading.current)?.focus();
        }}
      >
        Remove<span className="visually-hidden"> {reference}</span>
      </Button>
      {named !== null && isOpen && (
        <HubRevisionPicker reference={reference} repo={named.repo} revision={revision} />
      )}
    </li>
  );
}

/** Digits of a commit that people write. */
const SHORT = 7;

/** The commit that the reference stood for when it was opened. */
function commitOf(
  { request, preflight, group }: SourcesState,
  reference: string,
  place: string,
): string | null {
  if (request?.kind !== 'hub' || !request.repos.includes(reference)) return null;
  return commitRead(
    place,
    (preflight?.checkpoints ?? group?.cards ?? []).map(({ id }) => id),
  );
}
