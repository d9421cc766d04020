import { useStore } from 'zustand';
import { selectDraft } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/recipe/state';
import { keptOfTotal } from '@/store/results/kept';
import { selectGroup } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/sources/state';
import { count, percent } from '@/ui/format';
import { type TaskKept, useKeptEntries } from '@/ui/use-kept';
import styles from './kept-entries.module.css';

/** Entries kept and their share of each task's energy, following the slider. */
export function KeptEntries() {
  const recipe = useStore(recipeStore, selectDraft);
  const group = useStore(sourcesStore, selectGroup);
  const tasks = useKeptEntries();
  if (group === null) return null;
  const about = recipe.scope === 'tensor' ? 'about ' : '';
  return (
    <div className={styles.kept}>
      <p className={styles.count}>
        <strong>
          {about}
          {count(keptOfTotal(recipe, group.elementCount))}
        </strong>{' '}
        of {count(group.elementCount)} entries a task
      </p>
      <div className={styles.energy}>
        <h3 className={styles.heading}>Kept energy</h3>
        <ul className={styles.list}>
          {tasks.map((task) => (
            <EnergyRow key={task.name} task={task} />
          ))}
        </ul>
        <p className={styles.basis}>{basisText(tasks)}</p>
      </div>
    </div>
  );
}

function EnergyRow({ task: { title, kept } }: { readonly task: TaskKept }) {
  return (
    <li className={styles.row}>
      <span className={styles.name}>{title}</span>
      <span className={styles.track} aria-hidden="true">
        <span className={styles.bar} style={{ width: `${100 * (kept?.energyShare ?? 0)}%` }} />
      </span>
      <span className={styles.share}>
        {kept === null
          ? '–'
          : `${kept.basis === 'at-most' ? '≤ ' : ''}${percent(kept.energyShare)}`}
      </span>
    </li>
  );
}

/** How far the shares can be trusted. */
function basisText(tasks: readonly TaskKept[]): string {
  const known = tasks.flatMap(({ kept }) => kept ?? []);
  if (known.length === 0) return 'Follows when the merged model stands.';
  if (known.every(({ basis }) => basis === 'exact')) return 'Summed exactly over the kept entries.';
  if (known.some(({ basis }) => basis === 'at-most')) {
    return 'Upper bound, from the ranking over all weights; exact on release.';
  }
  const error = Math.max(
    ...known.map(({ low, high, energyShare: share }) => Math.max(high - share, share - low)),
  );
  return `From the histogram, ±${(100 * error).toFixed(1)} points at most; exact on release.`;
}
