import { useStore } from 'zustand';
import { methodLabel, parseMethod } from '@/store/method';
import { selectCommitted } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/recipe/state';
import { storageRows } from '@/store/results/file';
import { selectStorage } from '@/store/results/selectors';
import { resultsStore, type StorageRow } from '@/store/results/state';
import { ScrollRegion } from '@/ui/components/scroll-region';
import { Section } from '@/ui/components/section';
import { bytes, count, percent } from '@/ui/format';
import styles from './storage-panel.module.css';

/** Bytes of the files each method writes, beside those of keeping every fine-tune. */
export function StoragePanel() {
  const storage = useStore(resultsStore, selectStorage);
  const { keptPercent } = useStore(recipeStore, selectCommitted);
  const rows = storageRows(storage);
  const whole = storage.finetuned?.bytes ?? null;
  return (
    <Section
      title="Storage"
      lead="Bytes of the files as written, sparse positions and values included."
    >
      <ScrollRegion name="Storage, scrollable">
        <table className={styles.table} aria-label="Storage">
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col">Files</th>
              <th scope="col">Bytes</th>
              <th scope="col">Of all fine-tunes</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.method} row={row} whole={whole} current={isCurrent(row, keptPercent)} />
            ))}
            {rows.length === 0 && (
              <tr>
                <td colSpan={4} className={styles.waiting}>
                  Known once the entries are selected.
                </td>
              </tr>
            )}
          </tbody>
        </table>
      </ScrollRegion>
    </Section>
  );
}

interface RowProps {
  readonly row: StorageRow;
  /** Bytes of all fine-tuned checkpoints together. */
  readonly whole: number | null;
  /** Belongs to the m on the slider. */
  readonly current: boolean;
}

function Row({ row, whole, current }: RowProps) {
  const share = whole === null || whole === 0 ? null : row.bytes / whole;
  return (
    <tr data-current={current} data-family={parseMethod(row.method)?.family}>
      <th scope="row">{methodLabel(row.method)}</th>
      <td>{count(row.files.length)}</td>
      <td title={`${count(row.bytes)} bytes`}>{bytes(row.bytes)}</td>
      <td className={styles.share}>
        {share !== null && (
          <>
            <span>{percent(share)}</span>
            <span className={styles.track} aria-hidden="true">
              <span style={{ width: `${Math.min(100, 100 * share)}%` }} />
            </span>
          </>
        )}
      </td>
    </tr>
  );
}

function isCurrent(row: StorageRow, keptPercent: number): boolean {
  const parsed = parseMethod(row.method);
  return parsed?.family === 'peru-fft' && parsed.percent === keptPercent;
}
