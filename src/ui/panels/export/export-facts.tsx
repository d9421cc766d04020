import { useStore } from 'zustand';
import {
  indexTotal,
  type IndexTotal,
  selectSavedTo,
  selectUploaded,
} from '@/store/export/selectors';
import { exportStore, type MadeExport, type Uploaded } from '@/store/state/export';
import { type GroupKind } from '@/recipe/parsed-method';
import { selectCommitted } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { bytes, count, inText, percentInText, seconds } from '@/ui/words/format';
import { recipeWords } from '@/ui/words/recipe-words';
import styles from './export-facts.module.css';

interface ExportFactsProps {
  readonly made: MadeExport;
  readonly kind: GroupKind;
}

/** What was checked, what positions cost, of which recipe it is, and where it went. */
export function ExportFacts({ made, kind }: ExportFactsProps) {
  const { facts, recipe } = made;
  const committed = useStore(recipeStore, selectCommitted);
  const savedTo = useStore(exportStore, selectSavedTo);
  const uploaded = useStore(exportStore, selectUploaded);
  const before = recipeWords(kind, recipe, committed);
  const index = indexTotal(facts.index);
  return (
    <div className={styles.facts}>
      {before !== null && (
        <p className={styles.before} aria-live="polite">
          <strong>These files are of the recipe before: {before}.</strong> Export again for the
          recipe shown now.
        </p>
      )}
      <p>
        Read back: {count(facts.files.length)} files, hashes, counts and values are sound.{' '}
        <span className={styles.soft}>
          {inText(bytes(facts.bytes))} in all, made in {inText(seconds(facts.seconds))}. Beside each
          file stands its SHA-256.
        </span>
      </p>
      {index !== null && <p className={styles.soft}>{indexText(index)}</p>}
      {savedTo !== null && (
        <p>
          Saved into a new folder inside <strong>{savedTo}</strong>.
        </p>
      )}
      {uploaded !== null && <UploadedLine uploaded={uploaded} />}
    </div>
  );
}

function indexText({ gapBytes, entropyBytes }: IndexTotal): string {
  const own = inText(bytes(gapBytes));
  if (entropyBytes === 0) return `Telling which entries are kept takes ${own}.`;
  const over = gapBytes / entropyBytes - 1;
  const apart = percentInText(Math.abs(over), 0);
  return (
    `Telling which entries are kept takes ${own}: ${apart} ${over < 0 ? 'less' : 'more'} than ` +
    `so many scattered at random would at least (their entropy, ${inText(bytes(entropyBytes))}).`
  );
}

function UploadedLine({ uploaded }: { readonly uploaded: Uploaded }) {
  const { repo, isPrivate, url, commit } = uploaded;
  return (
    <p>
      Uploaded to{' '}
      <a href={url} target="_blank" rel="noreferrer">
        {repo}, commit {commit.slice(0, 7)}
      </a>
      {isPrivate ? ', which was asked to be private.' : '.'}
    </p>
  );
}
