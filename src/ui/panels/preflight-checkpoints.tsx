import { useStore } from 'zustand';
import { chooseBase } from '@/store/sources/actions';
import { type Preflight, type PreflightCheckpoint } from '@/store/sources/preflight';
import { selectIsOwn, selectWeights } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/sources/state';
import { Button } from '@/ui/components/button';
import { ScrollRegion } from '@/ui/components/scroll-region';
import { bytes, count, shortCount } from '@/ui/format';
import styles from './preflight-checkpoints.module.css';

/** What is about to be merged, the base first. */
export function PreflightCheckpoints({ preflight }: { readonly preflight: Preflight }) {
  const isOwn = useStore(sourcesStore, selectIsOwn);
  const weights = useStore(sourcesStore, selectWeights);
  const canChooseBase = isOwn && preflight.kind === 'full' && weights !== 'loading';
  return (
    <div className={styles.checkpoints}>
      <h3 className={styles.heading}>Checkpoints</h3>
      <ScrollRegion name="Checkpoints, scrollable">
        <table className={styles.table} aria-label="Checkpoints">
          <thead>
            <tr>
              <th scope="col">Checkpoint</th>
              <th scope="col">Size</th>
              <th scope="col">Type</th>
              <th scope="col">Parameters</th>
              <th scope="col">Licence</th>
              {canChooseBase && (
                <th scope="col">
                  <span className="visually-hidden">Base</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {preflight.checkpoints.map((checkpoint) => (
              <Row key={checkpoint.id} checkpoint={checkpoint} canChooseBase={canChooseBase} />
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </div>
  );
}

interface RowProps {
  readonly checkpoint: PreflightCheckpoint;
  readonly canChooseBase: boolean;
}

function Row({ checkpoint, canChooseBase }: RowProps) {
  const { id, role, title, origin, byteLength, dtypes, parameterCount, tensorCount, licence } =
    checkpoint;
  return (
    <tr data-role={role}>
      <th scope="row">
        {title}
        <span className={styles.origin}>{origin}</span>
      </th>
      <td title={`${count(byteLength)} bytes`}>{bytes(byteLength)}</td>
      <td>{dtypes.join(', ')}</td>
      <td>
        {shortCount(parameterCount)}
        <span className={styles.tensors}>in {count(tensorCount)} tensors</span>
      </td>
      <td>{licence ?? 'not stated'}</td>
      {canChooseBase && (
        <td>
          {role === 'base' ? (
            <span className={styles.base}>Base</span>
          ) : (
            <Button
              look="quiet"
              onClick={() => {
                chooseBase(id);
              }}
            >
              Use as base<span className="visually-hidden">: {title}</span>
            </Button>
          )}
        </td>
      )}
    </tr>
  );
}
