import { useStore } from 'zustand';
import { COMPRESSORS } from '@/methods/registry';
import { type GroupKind, type MethodId } from '@/recipe/parsed-method';
import { type AccuracyCell, type AccuracyRow } from '@/store/results/table';
import { selectCommitted } from '@/store/recipe/selectors';
import { type Recipe, recipeStore } from '@/store/state/recipe';
import { selectGroup, selectKind } from '@/store/sources/selectors';
import { type GroupFacts, sourcesStore } from '@/store/state/sources';
import { ScrollRegion } from '@/ui/components/scroll-region';
import { Section } from '@/ui/components/section';
import { count, percent, percentNumber, points } from '@/ui/words/format';
import { MANY } from '@/ui/components/many';
import { methodLabel } from '@/ui/words/method-label';
import { scoreText } from '@/ui/words/score-words';
import { useAccuracyTable } from '@/ui/hooks/use-accuracy';
import styles from './accuracy-panel.module.css';

/** Positions of the table's columns: `methodsOf` fixes their order, and PERU comes last. */
const FINETUNED = 1;
const MERGED = 2;

/** A row a task, then the average; a column a method. */
export function AccuracyPanel() {
  const group = useStore(sourcesStore, selectGroup);
  const kind = useStore(sourcesStore, selectKind);
  const { compressors } = useStore(recipeStore, selectCommitted);
  const table = useAccuracyTable();
  const peru = table.methods.length - 1;
  if (kind === 'loras') return null;
  if (group?.noAccuracyBecause != null) {
    return (
      <Section title="Accuracy">
        <p className={styles.none}>No accuracy here: {withinSentence(group.noAccuracyBecause)}</p>
      </Section>
    );
  }
  return (
    <Section title="Accuracy by task" lead={leadText(group, kind, compressors)}>
      {/* PERU comes last and is what the page is about; anew once the tasks are known. */}
      <ScrollRegion
        key={`${kind} ${table.rows.length}`}
        name="Accuracy by task, scrollable"
        startAtEnd
        isTall={table.rows.length >= MANY}
      >
        <table className={styles.table} aria-label="Accuracy by task">
          <thead>
            <tr>
              <th scope="col">Task</th>
              {table.methods.map((method, column) => (
                <th key={column} scope="col" data-peru={column === peru}>
                  {methodLabel(method, kind)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row) => (
              <Row key={row.label} row={row} methods={table.methods} kind={kind} />
            ))}
          </tbody>
          <tfoot>
            <Row row={table.average} methods={table.methods} kind={kind} />
          </tfoot>
        </table>
      </ScrollRegion>
    </Section>
  );
}

interface RowProps {
  readonly row: AccuracyRow;
  readonly methods: readonly MethodId[];
  readonly kind: GroupKind;
}

function Row({ row, methods, kind }: RowProps) {
  const peru = methods.length - 1;
  return (
    <tr>
      <th scope="row">
        {row.label}
        {row.metric === 'spearman' && (
          <span className={styles.metric}>Spearman’s ρ&nbsp;×&nbsp;100</span>
        )}
      </th>
      {methods.map((_, column) => (
        <td key={column} data-peru={column === peru}>
          <div className={`${styles.cell} ${column === peru ? styles.peru : ''}`}>
            <Cell cell={row.cells[column] ?? null} />
            {column === peru && (
              <Gain
                row={row}
                peru={row.cells[peru]?.value}
                from={kind === 'full' ? MERGED : null}
              />
            )}
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
  const { value, n, interval } = cell;
  return (
    <div>
      <span className={styles.value}>{percent(value)}</span>
      <span className={styles.basis}>
        {interval === null
          ? `n ${count(n)}`
          : `${percentNumber(interval.low)}–${percentNumber(interval.high)} · n ${count(n)}`}
      </span>
    </div>
  );
}

interface GainProps {
  readonly row: AccuracyRow;
  /** The last column's value; undefined until it is computed. */
  readonly peru: number | undefined;
  /** Column the bar starts from; null where it starts from nothing. */
  readonly from: number | null;
}

/**
 * On a scale from 0 to 100 %, with the task's own model as the goal: what PERU-FFT adds to the
 * merged model, or where PERU-LoRA stands; beside it the difference in points.
 */
function Gain({ row, peru, from }: GainProps) {
  const base = from === null ? 0 : row.cells[from]?.value;
  const finetuned = row.cells[FINETUNED]?.value;
  const reference = from === null ? finetuned : base;
  return (
    <span className={styles.gain}>
      <span className={styles.track} aria-hidden="true">
        {base !== undefined && <span className={styles.base} style={{ width: at(base) }} />}
        {base !== undefined && peru !== undefined && (
          <span
            className={styles.delta}
            data-loss={peru < base}
            style={{ left: at(Math.min(base, peru)), width: at(Math.abs(peru - base)) }}
          />
        )}
        {finetuned !== undefined && (
          <span className={styles.goal} style={{ left: at(finetuned) }} />
        )}
      </span>
      <span className={styles.points}>
        {reference !== undefined && peru !== undefined && (
          <>
            {points(peru - reference)}
            <span className="visually-hidden">
              {from === null ? ' points against its own adapter' : ' points over merged'}
            </span>
          </>
        )}
      </span>
    </span>
  );
}

/** What the numbers are, and what stands beside them. */
function leadText(
  group: GroupFacts | null,
  kind: GroupKind,
  compressors: Recipe['compressors'],
): string {
  const run = kind === 'full' ? compressors : [];
  const instead = run.flatMap((method) => COMPRESSORS[method].instead ?? []);
  const text = `${scoreText(group, kind)}, with n and the 95\u00a0% interval. ${BESIDE[kind]}`;
  return [text, ...instead].join(' ');
}

const BESIDE: Readonly<Record<GroupKind, string>> = {
  full: 'Bar: what PERU-FFT adds to the merged model; tick: the task’s own model.',
  loras: '',
  adapters: 'Beside PERU-LoRA: points against the task’s own adapter, which the tick marks.',
};

/** A correlation below zero has no place on the scale but its beginning. */
function at(share: number): string {
  return `${100 * Math.max(0, share)}%`;
}

/** The end of a sentence; a name that begins it, such as `T5`, stays as it is. */
function withinSentence(reason: string): string {
  const isWord = /^[A-Z]?[a-z’]+[\s,.:]/.test(reason) || /^A\s/.test(reason);
  const text = isWord ? reason.charAt(0).toLowerCase() + reason.slice(1) : reason;
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
