import { type KeyboardEvent, useId, useState } from 'react';
import { useStore } from 'zustand';
import { addRepos } from '@/store/actions/hub';
import { selectRepos } from '@/store/hub/selectors';
import { hubStore } from '@/store/state/hub';
import {
  dropSuggestions,
  type FoundRepo,
  selectFindNote,
  selectFound,
  suggestionStore,
  suggestRepos,
} from '@/store/actions/suggestions';
import { cameWhole, lastWordStart } from '@/store/hub/words';
import { Button } from '@/ui/components/button';
import { HubSuggestions, optionId } from './hub-suggestions';
import styles from './hub-panel.module.css';

export const HUB_FIELD_ID = 'hub-repo';

interface HubRepoEntryProps {
  readonly host: string;
  /** Label and hint are not in view. */
  readonly isShort: boolean;
}

/**
 * The field that names repos. What matches is offered below it while a name is typed; the keyboard
 * stays in the field, as in a combobox.
 */
export function HubRepoEntry({ host, isShort }: HubRepoEntryProps) {
  const [text, setText] = useState('');
  const listId = useId();
  const listed = useStore(hubStore, selectRepos);
  const found = useStore(suggestionStore, selectFound).filter(({ repo }) => !listed.includes(repo));
  const [active, setActive] = useState(-1);
  const chosen = found[active];

  const write = (next: string): void => {
    setText(next);
    setActive(-1);
  };
  const add = (): void => {
    addRepos(text);
    write('');
    dropSuggestions();
  };
  const pick = ({ repo }: FoundRepo): void => {
    addRepos(repo);
    // Other names may stand before the one that was being typed.
    write(text.slice(0, lastWordStart(text)));
    dropSuggestions();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const move = movement(event, active, found.length);
    if (move !== null) {
      event.preventDefault();
      setActive(move);
    } else if (event.key === 'Escape' && found.length > 0) {
      event.preventDefault();
      setActive(-1);
      dropSuggestions();
    } else if (isPlainEnter(event)) {
      event.preventDefault();
      if (chosen === undefined) add();
      else pick(chosen);
    }
  };

  return (
    <>
      <label htmlFor={HUB_FIELD_ID} className={styles.label}>
        Hugging Face repo
      </label>
      <div className={styles.line}>
        <div className={styles.search}>
          <textarea
            id={HUB_FIELD_ID}
            rows={1}
            value={text}
            className={styles.field}
            aria-describedby="hub-repo-hint"
            aria-autocomplete="list"
            aria-haspopup="listbox"
            aria-controls={found.length > 0 ? listId : undefined}
            aria-activedescendant={chosen && optionId(listId, active)}
            placeholder={isShort ? 'Hugging Face repo' : 'owner/name, or a part of it'}
            autoCapitalize="none"
            autoCorrect="off"
            autoComplete="off"
            spellCheck={false}
            onChange={({ target: { value } }) => {
              write(value);
              if (cameWhole(text, value)) dropSuggestions();
              else suggestRepos(value);
            }}
            onKeyDown={onKeyDown}
            onBlur={() => {
              setActive(-1);
              dropSuggestions();
            }}
          />
          {found.length > 0 && (
            <HubSuggestions listId={listId} repos={found} active={active} onPick={pick} />
          )}
          <FindNote />
        </div>
        <Button onClick={add}>Add from Hub</Button>
      </div>
      <p id="hub-repo-hint" className={styles.hint}>
        Search {host} by a part of a name, or give owner/name (with @revision or /folder) or the
        address of its page; several at once.
      </p>
    </>
  );
}

/**
 * How the search went, read out; shown where there is no list to see. It floats as the list does:
 * nothing below may move away from the click that ends the search.
 */
function FindNote() {
  const note = useStore(suggestionStore, selectFindNote);
  const hasList = useStore(suggestionStore, selectFound).length > 0;
  return (
    <p className={hasList ? 'visually-hidden' : styles.note} aria-live="polite">
      {note}
    </p>
  );
}

/** The option that an arrow key leads to, -1 for the field itself; null for other keys. */
function movement({ key, altKey }: KeyboardEvent, active: number, count: number): number | null {
  if (count === 0 || altKey) return null;
  if (key === 'ArrowDown') return active + 1 < count ? active + 1 : -1;
  if (key === 'ArrowUp') return active < 0 ? count - 1 : active - 1;
  return null;
}

/** Enter adds, as in a field of one line; with Shift it breaks the line. */
function isPlainEnter({ key, shiftKey, nativeEvent }: KeyboardEvent): boolean {
  return key === 'Enter' && !shiftKey && !nativeEvent.isComposing;
}
