import { useStore } from 'zustand';
import { type GroupKind, type MethodId, parseMethod, peruMethod } from '@/recipe/parsed-method';
import { selectCommitted } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { bytesBesideBase } from '@/store/results/beside-base';
import { storageRows } from '@/store/results/file';
import { selectStorage } from '@/store/results/selectors';
import { resultsStore } from '@/store/state/results';
import { selectKind } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { ScrollRegion } from '@/ui/components/scroll-region';
import { Section } from '@/ui/components/section';
import { bytes, count, percent } from '@/ui/words/format';
import { methodLabel } from '@/ui/words/method-label';
import { useWaiting } from '@/ui/hooks/use-waiting';
import styles from './storage-panel.module.css';

/** Bytes of the files each method writes, beside those of keeping every fine-tune or adapter. */
export function StoragePanel() {
  const storage = useStore(resultsStore, selectStorage);
  const recipe = useStore(recipeStore, selectCommitted);
  const kind = useStore(sourcesStore, selectKind);
  const waiting = useWaiting();
  const rows = storageRows(storage);
  const current = peruMethod(kind, recipe);
  const { lead, share, missing } = TEXTS[kind];
  const own = (method: MethodId): number | null =>
    kind === 'adapters' ? bytesBesideBase(method, storage) : (storage[method]?.bytes ?? null);
  const whole = own('finetuned');
  return (
    <Section title="Storage" lead={lead}>
      <ScrollRegion name="Storage, scrollable">
        <table className={styles.table} aria-label="Storage">
          <thead>
            <tr>
              <th scope="col">Method</th>
              <th scope="col">Files</th>
              <th scope="col">Bytes</th>
              <th scope="col">{share}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ method, files, bytes: all }) => (
              <Row
                key={method}
                method={method}
                kind={kind}
                fileCount={files.length}
                size={all}
                beside={kind === 'adapters' ? own(method) : null}
                share={shareOf(own(method), whole)}
                current={method === current}
              />
            ))}
            {rows.length === 0 && (
              <tr>
                <td colSpan={4} className={styles.waiting}>
                  {waiting(missing)}
                </td>
              </tr>
            )}
          </tbody>
        </table>
      </ScrollRegion>
    </Section>
  );
}

const TEXTS = {
  full: {
    lead: 'Bytes of the files as written, sparse positions and values included.',
    share: 'Of all fine-tunes',
    missing: 'Known once the entries are selected.',
  },
  adapters: {
    lead: 'Bytes of the files as written, the base included; what lies beside it as a share of all adapters.',
    share: 'Beside the base',
    missing: 'Known once the adapters are factorised.',
  },
  loras: {
    lead: 'Bytes of the files as they came, and as they are written at each rank tried.',
    share: 'Of the files as they came',
    missing: 'Known once the files are factorised.',
  },
} as const;

interface RowProps {
  readonly method: MethodId;
  readonly kind: GroupKind;
  readonly fileCount: number;
  readonly size: number;
  /** Bytes beside the base; null where that is not told apart. */
  readonly beside: number | null;
  /** Of all fine-tunes or adapters; null where not known. */
  readonly share: number | null;
  /** Belongs to the slider's position. */
  readonly current: boolean;
}

function Row({ method, kind, fileCount, size, beside, share, current }: RowProps) {
  return (
    <tr data-current={current} data-family={parseMethod(method)?.family}>
      <th scope="row">{methodLabel(method, kind)}</th>
      <td>{count(fileCount)}</td>
      <td title={`${count(size)} bytes`}>{bytes(size)}</td>
      <td className={styles.share}>
        {beside !== null && <span className={styles.beside}>{bytes(beside)}</span>}
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

function shareOf(size: number | null, whole: number | null): number | null {
  return size === null || whole === null || whole === 0 ? null : size / whole;
}
