import { type ChangeEvent } from 'react';
import { useStore } from 'zustand';
import { addFiles, openDemo, removeFileSet } from '@/store/sources/actions';
import { localFileSets, selectNotes, selectRequest } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/sources/state';
import { Button } from '@/ui/components/button';
import { bytes } from '@/ui/format';
import { filesOfInput } from '@/ui/read-drop';
import { FoldersRow } from './folders-row';
import { HubPanel } from './hub-panel';
import { PresetsPanel } from './presets-panel';
import styles from './sources-panel.module.css';

/** Where checkpoints come from: an embedded demo, the visitor's disk, or the Hub. */
export function SourcesPanel() {
  return (
    <section className={styles.sources} aria-labelledby="sources-heading">
      <div className={styles.words}>
        <h2 id="sources-heading" className={styles.heading}>
          Sources
        </h2>
        <p className={styles.lead}>
          A demo, or your own: a base and the models fine-tuned from it, or its LoRA adapters with
          their configs, as safetensors. Files and folders may be dropped anywhere.
        </p>
      </div>
      <div className={styles.ways}>
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
        <FoldersRow />
      </div>
      <AddedFiles />
      <RecipeNotes />
      <div className={styles.public}>
        <PresetsPanel />
        <HubPanel />
      </div>
    </section>
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
