import { useEffect, useRef } from 'react';
import { type FoundRepo } from '@/store/actions/suggestions';
import styles from './hub-suggestions.module.css';

interface SuggestionsProps {
  readonly listId: string;
  readonly repos: readonly FoundRepo[];
  /** Index of the option that the keyboard is on; -1: none. */
  readonly active: number;
  readonly onPick: (repo: FoundRepo) => void;
}

/** What the field names as its active descendant. */
export function optionId(listId: string, index: number): string {
  return `${listId}-${index}`;
}

/** The matching repos, below the field: reached by the arrow keys of the field, or by pointer. */
export function HubSuggestions({ listId, repos, active, onPick }: SuggestionsProps) {
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <ul ref={list} id={listId} role="listbox" aria-label="Matching repos" className={styles.list}>
      {repos.map((found, i) => (
        <li
          key={found.repo}
          id={optionId(listId, i)}
          role="option"
          aria-selected={i === active}
          className={styles.option}
          // The keyboard stays in the field.
          onMouseDown={(event) => {
            event.preventDefault();
          }}
          onClick={() => {
            onPick(found);
          }}
        >
          <span className={styles.name}>{found.repo}</span>
          <Facts found={found} />
        </li>
      ))}
    </ul>
  );
}

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact' });

function Facts({ found }: { readonly found: FoundRepo }) {
  const { downloads, likes, gated, isAdapter, hasSafetensors } = found;
  return (
    <span className={styles.facts}>
      <span>{COMPACT.format(downloads)} downloads</span>
      <span>{COMPACT.format(likes)} likes</span>
      {isAdapter && <span className={styles.tag}>adapter</span>}
      {hasSafetensors && <span className={styles.tag}>safetensors</span>}
      {found.private && <span className={styles.lock}>private</span>}
      {gated && <span className={styles.lock}>gated: ask for access</span>}
    </span>
  );
}
