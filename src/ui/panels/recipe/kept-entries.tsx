import { type ReactNode } from 'react';
import { useStore } from 'zustand';
import { selectDraft } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { type KeptEnergy, type KeptEntries as Kept, keptOfTotal } from '@/store/results/kept';
import { selectElementCount } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { count, percent } from '@/ui/words/format';
import { whenMany } from '@/ui/components/many';
import { type TaskKept, useKeptEntries } from '@/ui/hooks/use-kept';
import { useWaiting } from '@/ui/hooks/use-waiting';
import styles from './kept-entries.module.css';

/** Entries kept and their share of each task's energy, following the slider. */
export function KeptEntries() {
  const recipe = useStore(recipeStore, selectDraft);
  const elementCount = useStore(sourcesStore, selectElementCount);
  const tasks = useKeptEntries();
  const waiting = useWaiting();
  if (elementCount === null) return null;
  const about = recipe.scope === 'tensor' ? 'about ' : '';
  return (
    <div className={styles.kept}>
      <p className={styles.count}>
        <strong>
          {about}
          {count(keptOfTotal(recipe, elementCount))}
        </strong>{' '}
        of {count(elementCount)} entries a task
      </p>
      <div className={styles.energy}>
        <h3 className={styles.heading}>
          Kept energy <small className={styles.meaning}>share of the sum of squares</small>
        </h3>
        <ul className={styles.list} {...whenMany(tasks.length, 'Kept energy by task')}>
          {tasks.map((task) => (
            <EnergyRow key={task.name} task={task} />
          ))}
        </ul>
        <p className={styles.basis}>
          {basisText(tasks) ?? waiting('Follows when the merged model stands.')}
        </p>
      </div>
    </div>
  );
}

function EnergyRow({ task: { title, kept } }: { readonly task: TaskKept }) {
  return (
    <li className={styles.row}>
      <span className={styles.name} title={title}>
        {title}
      </span>
      <span className={styles.track} aria-hidden="true">
        <span className={styles.bar} style={{ width: `${100 * (kept?.energyShare ?? 0)}%` }} />
      </span>
      <span className={styles.share}>{shareText(kept)}</span>
    </li>
  );
}

function shareText(kept: Kept | null): ReactNode {
  if (kept === null) return '–';
  if (kept.basis === 'not-defined') {
    return (
      <>
        <span aria-hidden="true">–</span>
        <span className="visually-hidden">not defined</span>
      </>
    );
  }
  return `${kept.basis === 'at-most' ? '≤ ' : ''}${percent(kept.energyShare)}`;
}

/** How far the shares can be trusted, and which there are none of; null while there are none. */
function basisText(tasks: readonly TaskKept[]): string | null {
  const all = tasks.flatMap(({ kept }) => kept ?? []);
  if (all.length === 0) return null;
  const known = all.filter((kept) => kept.basis !== 'not-defined');
  if (known.length === 0) return 'Not defined: NaN or Inf inside.';
  const basis = definedBasisText(known);
  return known.length === all.length ? basis : `${basis} Others not defined: NaN or Inf inside.`;
}

function definedBasisText(known: readonly KeptEnergy[]): string {
  if (known.every(({ basis }) => basis === 'exact')) return 'Summed exactly over the kept entries.';
  if (known.some(({ basis }) => basis === 'at-most')) {
    return 'Upper bound, from the ranking over all weights; exact on release.';
  }
  const error = Math.max(
    ...known.map(({ low, high, energyShare: share }) => Math.max(high - share, share - low)),
  );
  return `From the histogram, ±${(100 * error).toFixed(1)} points at most; exact on release.`;
}
