import { chooseBase } from '@/store/actions/sources';
import { Button } from '@/ui/components/button';
import { ScrollRegion } from '@/ui/components/scroll-region';
import { bytes, count, shortCount } from '@/ui/words/format';
import { MANY } from '@/ui/components/many';
import styles from './checkpoint-table.module.css';

/** What the report and the open group both tell of a checkpoint. */
export interface CheckpointRow {
  readonly id: string;
  readonly role: 'base' | 'task';
  readonly title: string;
  /** Where it comes from. */
  readonly origin: string;
  readonly byteLength: number;
  readonly dtypes: readonly string[];
  readonly parameterCount: number;
  readonly tensorCount: number;
  readonly licence: string | null;
  /** Of a task, once the group is open; a column where any has it. */
  readonly rank?: string | null;
  readonly testSet?: string | null;
}

interface CheckpointTableProps {
  /** The base first. */
  readonly rows: readonly CheckpointRow[];
  readonly canChooseBase: boolean;
}

/** A row a checkpoint; many of them scroll under their headings. */
export function CheckpointTable({ rows, canChooseBase }: CheckpointTableProps) {
  const hasRanks = rows.some(({ rank }) => rank != null);
  const hasTests = rows.some(({ testSet }) => testSet != null);
  return (
    <ScrollRegion name="Checkpoints, scrollable" isTall={rows.length >= MANY}>
      <table className={styles.table} aria-label="Checkpoints">
        <thead>
          <tr>
            <th scope="col">Checkpoint</th>
            <th scope="col">Size</th>
            <th scope="col">Type</th>
            <th scope="col">Parameters</th>
            {hasRanks && <th scope="col">Rank</th>}
            <th scope="col">Licence</th>
            {hasTests && <th scope="col">Test set</th>}
            {canChooseBase && (
              <th scope="col">
                <span className="visually-hidden">Base</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id} data-role={row.role}>
              <Facts row={row} />
              {hasRanks && <td>{row.rank}</td>}
              <td>{row.licence ?? 'not stated'}</td>
              {hasTests && <td>{row.testSet ?? (row.role === 'task' && 'none')}</td>}
              {canChooseBase && <BaseCell row={row} />}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function Facts({ row }: { readonly row: CheckpointRow }) {
  const { title, origin, byteLength, dtypes, parameterCount, tensorCount } = row;
  return (
    <>
      <th scope="row">
        {title}
        {origin !== title && <span className={styles.origin}>{origin}</span>}
      </th>
      <td title={`${count(byteLength)} bytes`}>{bytes(byteLength)}</td>
      <td>{dtypes.join(', ')}</td>
      <td>
        {shortCount(parameterCount)}
        <span className={styles.tensors}>in {count(tensorCount)} tensors</span>
      </td>
    </>
  );
}

/** The base is named; what takes its place shows at the row that is pointed at. */
function BaseCell({ row: { id, role, title } }: { readonly row: CheckpointRow }) {
  return (
    <td className={styles.choose}>
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
  );
}
