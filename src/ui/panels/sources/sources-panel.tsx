import { type ChangeEvent, type ReactNode, type RefObject, useLayoutEffect, useRef } from 'react';
import { useStore } from 'zustand';
import {
  addFiles,
  changeSources,
  closeSources,
  openDemo,
  removeFileSet,
} from '@/store/actions/sources';
import {
  localFileSets,
  selectIsChanging,
  selectIsOwn,
  selectNotes,
  selectRequest,
  selectSourcesExtent,
  selectWeights,
  type SourcesExtent,
} from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { Button } from '@/ui/components/button';
import { bytes } from '@/ui/words/format';
import { filesOfInput } from '@/ui/files/read-drop';
import { sourcesText } from '@/ui/words/sources-text';
import { FoldersRow } from './folders-row';
import { HubPanel } from '@/ui/panels/hub/hub-panel';
import { PresetsPanel } from './presets-panel';
import styles from './sources-panel.module.css';

/**
 * Where checkpoints come from: an embedded demo, the visitor's disk, or the Hub. Once something of
 * the visitor's own is open it is one line, and what it shows comes next.
 */
export function SourcesPanel() {
  const extent = useStore(sourcesStore, selectSourcesExtent);
  const isOwn = useStore(sourcesStore, selectIsOwn);
  const isOpen = useStore(sourcesStore, selectWeights) !== 'absent';
  const section = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    // What is folded away takes the focus with it: the keyboard stays near.
    const focused = document.activeElement;
    if (section.current?.contains(focused) === true && focused?.checkVisibility() === false) {
      heading.current?.focus();
    }
  }, [extent]);
  return (
    <section ref={section} className={styles.sources} aria-labelledby="sources-heading">
      <div className={styles.words}>
        <h2 ref={heading} id="sources-heading" tabIndex={-1} className={styles.heading}>
          Sources
        </h2>
        {isOwn && isOpen ? (
          <OpenLine heading={heading} />
        ) : (
          <p className={styles.lead}>
            A demo, or your own: a base with its fine-tunes or LoRA adapters, or LoRA files alone,
            as safetensors. Files and folders may be dropped anywhere.
          </p>
        )}
      </div>
      {extent === 'whole' && <AddedFiles />}
      <Ways extent={extent} canFold={!isOwn && (isOpen || extent === 'short')} />
      <HubPanel extent={extent} />
      <div className={styles.presets} hidden={extent !== 'whole'}>
        <PresetsPanel />
      </div>
      <RecipeNotes />
    </section>
  );
}

/** What the visitor opened, and the ways to change or to close it. */
function OpenLine({ heading }: { readonly heading: RefObject<HTMLElement | null> }) {
  const text = useStore(sourcesStore, sourcesText);
  return (
    <>
      <p className={styles.open}>{text}</p>
      <div className={styles.actions}>
        <MoreButton>Change</MoreButton>
        <Button
          look="quiet"
          onClick={() => {
            // The button goes with what it closes: the keyboard stays near.
            heading.current?.focus();
            closeSources();
          }}
        >
          Close
        </Button>
      </div>
    </>
  );
}

/** Unfolds whatever is not in view of the ways to add. */
function MoreButton({ children }: { readonly children: ReactNode }) {
  const isChanging = useStore(sourcesStore, selectIsChanging);
  return (
    <Button
      expanded={isChanging}
      onClick={() => {
        changeSources(!isChanging);
      }}
    >
      {children}
    </Button>
  );
}

interface WaysProps {
  readonly extent: SourcesExtent;
  /** Something is open beside which less is enough, and no other button unfolds the rest. */
  readonly canFold: boolean;
}

function Ways({ extent, canFold }: WaysProps) {
  return (
    <div className={styles.ways} hidden={extent === 'line'}>
      <Button
        onClick={() => {
          openDemo('fft');
        }}
      >
        Demo: full fine-tunes
      </Button>
      <Button
        onClick={() => {
          openDemo('lora');
        }}
      >
        Demo: LoRA adapters
      </Button>
      <Button
        onClick={() => {
          openDemo('loras');
        }}
      >
        Demo: LoRA files
      </Button>
      <label className={styles.file}>
        <input type="file" multiple className="visually-hidden" onChange={takeFiles} />
        Add checkpoint files
      </label>
      <label className={styles.file}>
        <input
          type="file"
          multiple
          ref={pickFolders}
          className="visually-hidden"
          onChange={takeFiles}
        />
        Add a checkpoint folder
      </label>
      {canFold && (
        <MoreButton>
          More<span className="visually-hidden"> sources</span>
        </MoreButton>
      )}
      <div hidden={extent !== 'whole'}>
        <FoldersRow />
      </div>
    </div>
  );
}

/** The visitor's own files, each set with a way out: also when they did not open. */
function AddedFiles() {
  const request = useStore(sourcesStore, selectRequest);
  const sets = localFileSets(request);
  if (sets.length === 0) return null;
  return (
    <ul className={styles.sets} aria-label="Added files">
      {sets.map(({ root, fileCount, byteLength }) => (
        <li key={root} className={styles.set}>
          <span className={styles.root}>{root}</span>
          <span className={styles.size}>
            {fileCount > 1 && `${fileCount} files, `}
            {bytes(byteLength)}
          </span>
          <Button
            look="quiet"
            onClick={() => {
              removeFileSet(root);
            }}
          >
            Remove<span className="visually-hidden"> {root}</span>
          </Button>
        </li>
      ))}
    </ul>
  );
}

/** What a recipe file asked for and is not done. */
function RecipeNotes() {
  const notes = useStore(sourcesStore, selectNotes);
  return (
    <div className={styles.notes} aria-live="polite">
      {notes.length > 0 && (
        <>
          <p className={styles.notesTitle}>Opened, but not taken over from that file:</p>
          <ul aria-label="Not taken over">
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

/** Not an attribute React's types know: it turns the file dialogue into a folder dialogue. */
function pickFolders(input: HTMLInputElement | null): void {
  if (input !== null) input.webkitdirectory = true;
}

function takeFiles(event: ChangeEvent<HTMLInputElement>): void {
  const { target } = event;
  addFiles(filesOfInput(target.files));
  // The same file may be chosen again after it was changed on disk.
  target.value = '';
}
