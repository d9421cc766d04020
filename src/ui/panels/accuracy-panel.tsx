import { useStore } from 'zustand';
import { type MethodId, methodLabel } from '@/store/method';
import { type AccuracyCell, type AccuracyRow } from '@/store/results/table';
import { selectGroup } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/sources/state';
import { ScrollRegion } from '@/ui/components/scroll-region';
import { Section } from '@/ui/components/section';
import { count, percent, percentNumber, points } from '@/ui/format';
import { useAccuracyTable } from '@/ui/use-accuracy';
import styles from './accuracy-panel.module.css';

/** Positions of the table's columns: `methodsAt` fixes their order. */
const FINETUNED = 1;
const MERGED = 2;
const PERU = 4;

/** A row a task, then the average; a column a method. */
export function AccuracyPanel() {
  const group = useStore(sourcesStore, selectGroup);
  const table = useAccuracyTable();
  if (group?.noAccuracyBecause != null) {
    return (
      <Section title="Accuracy">
        <p className={styles.none}>
          No accuracy for these checkpoints: {lowerFirst(group.noAccuracyBecause)}
        </p>
      </Section>
    );
  }
  return (
    <Section
      title="Accuracy by task"
      lead="Share of test images named right, with n and the 95 % interval. The bar shows what PERU-FFT adds to the merged model; the tick is the task’s own fine-tuned model."
    >
      {/* PERU-FFT comes last and is what the page is about; anew once the tasks are known. */}
      <ScrollRegion key={table.rows.length} name="Accuracy by task, scrollable" startAtEnd>
        <table className={styles.table} aria-label="Accuracy by task">
          <thead>
            <tr>
              <th scope="col">Task</th>
              {table.methods.map((method, column) => (
                <th key={column} scope="col" data-peru={column === PERU}>
                  {methodLabel(method)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row) => (
              <Row key={row.label} row={row} methods={table.methods} />
            ))}
          </tbody>
          <tfoot>
            <Row row={table.average} methods={table.methods} />
          </tfoot>
        </table>
      </ScrollRegion>
    </Section>
  );
}

interface RowProps {
  readonly row: AccuracyRow;
  readonly methods: readonly MethodId[];
}

function Row({ row, methods }: RowProps) {
  return (
    <tr>
      <th scope="row">{row.label}</th>
      {methods.map((_, column) => (
        <td key={column} data-peru={column === PERU}>
          <div className={`${styles.cell} ${column === PERU ? styles.peru : ''}`}>
            <Cell cell={row.cells[column] ?? null} />
            {column === PERU && <Gain row={row} />}
          </div>
        </td>
      ))}
    </tr>
  );
}

function Cell({ cell }: { readonly cell: AccuracyCell | null }) {
  if (cell === null) {
    return (
      <span className={styles.waiting}>
        <span aria-hidden="true">–</span>
        <span className="visually-hidden">not computed yet</span>
      </span>
    );
  }
  const { accuracy, n, interval } = cell;
  return (
    <div>
      <span className={styles.value}>{percent(accuracy)}</span>
      <span className={styles.basis}>
        {interval === null
          ? `n ${count(n)}`
          : `${percentNumber(interval.low)}–${percentNumber(interval.high)} · n ${count(n)}`}
      </span>
    </div>
  );
}

/** From merged to PERU-FFT on a scale from 0 to 100 %, with the fine-tuned model as the goal. */
function Gain({ row }: { readonly row: AccuracyRow }) {
  const merged = row.cells[MERGED]?.accuracy;
  const peru = row.cells[PERU]?.accuracy;
  const finetuned = row.cells[FINETUNED]?.accuracy;
  const known = merged !== undefined && peru !== undefined;
  return (
    <span className={styles.gain}>
      <span className={styles.track} aria-hidden="true">
        {merged !== undefined && <span className={styles.base} style={{ width: at(merged) }} />}
        {known && (
          <span
            className={styles.delta}
            data-loss={peru < merged}
            style={{ left: at(Math.min(merged, peru)), width: at(Math.abs(peru - merged)) }}
          />
        )}
        {finetuned !== undefined && (
          <span className={styles.goal} style={{ left: at(finetuned) }} />
        )}
      </span>
      <span className={styles.points}>
        {known && (
          <>
            {points(peru - merged)}
            <span className="visually-hidden"> points over merged</span>
          </>
        )}
      </span>
    </span>
  );
}

function at(share: number): string {
  return `${100 * share}%`;
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
