import { useStore } from 'zustand';
import { type Preflight } from '@/store/sources/preflight';
import { selectIsOwn, selectWeights } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { CheckpointTable } from '@/ui/panels/sources/checkpoint-table';
import styles from './preflight-checkpoints.module.css';

/** What is about to be merged, the base first. */
export function PreflightCheckpoints({ preflight }: { readonly preflight: Preflight }) {
  const isOwn = useStore(sourcesStore, selectIsOwn);
  const weights = useStore(sourcesStore, selectWeights);
  const canChooseBase = isOwn && preflight.kind === 'full' && weights !== 'loading';
  return (
    <div className={styles.checkpoints}>
      <h3 className={styles.heading}>Checkpoints</h3>
      <CheckpointTable rows={preflight.checkpoints} canChooseBase={canChooseBase} />
    </div>
  );
}
