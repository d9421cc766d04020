import { useStore } from 'zustand';
import { type AdapterKept } from '@/store/recipe/low-rank';
import { selectAdapters, selectGroup, taskCards } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { bytes, count, energyPercent } from '@/ui/words/format';
import { whenMany } from '@/ui/components/many';
import { useDraftAdapters } from '@/ui/hooks/use-adapters';
import { useWaiting } from '@/ui/hooks/use-waiting';
import styles from './kept-entries.module.css';

/** Triplets, energy and bytes of each task's adapter, following the slider. */
export function KeptAdapters() {
  const group = useStore(sourcesStore, selectGroup);
  const kept = useDraftAdapters();
  const waiting = useWaiting();
  if (group === null) return null;
  const cards = taskCards(group);
  return (
    <div className={styles.kept}>
      <p className={styles.count}>{kept === null ? <>&nbsp;</> : <Total kept={kept} />}</p>
      <div className={styles.energy}>
        <h3 className={styles.heading}>Kept energy and bytes</h3>
        <ul
          className={styles.list}
          data-columns="4"
          {...whenMany(cards.length, 'Kept energy and bytes by task')}
        >
          {cards.map(({ name, title }) => (
            <Row key={name} title={title} kept={kept?.find(({ task }) => task === name) ?? null} />
          ))}
        </ul>
        <p className={styles.basis}>
          {kept === null
            ? waiting('Follows when the adapters are factorised.')
            : 'Exact, from the singular values; accuracy on release.'}
        </p>
      </div>
    </div>
  );
}

/** Triplets kept of all there are, and the bytes of all folders together. */
function Total({ kept }: { readonly kept: readonly AdapterKept[] }) {
  const contents = useStore(sourcesStore, selectAdapters);
  const sum = (ranks: readonly number[]): number => ranks.reduce((total, rank) => total + rank, 0);
  const triplets = kept.reduce((total, { ranks }) => total + sum(ranks), 0);
  const all = contents?.tasks.reduce((total, { ranks }) => total + sum(ranks), 0) ?? 0;
  const size = kept.reduce((total, one) => total + one.bytes, 0);
  return (
    <>
      <strong>{bytes(size)}</strong> in all: {count(triplets)} of {count(all)} triplets
    </>
  );
}

interface RowProps {
  readonly title: string;
  /** Null before the spectra are there. */
  readonly kept: Pick<AdapterKept, 'energyShare' | 'bytes'> | null;
}

function Row({ title, kept }: RowProps) {
  return (
    <li className={styles.row}>
      <span className={styles.name} title={title}>
        {title}
      </span>
      <span className={styles.track} aria-hidden="true">
        <span className={styles.bar} style={{ width: `${100 * (kept?.energyShare || 0)}%` }} />
      </span>
      <span className={styles.share}>{kept === null ? '–' : energyPercent(kept.energyShare)}</span>
      <span className={styles.share}>{kept === null ? '–' : bytes(kept.bytes)}</span>
    </li>
  );
}
