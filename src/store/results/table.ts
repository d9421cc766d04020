/** The accuracy table as numbers, ready to be drawn. Pure. */
import { type Interval, wilsonInterval } from '@/store/wilson';
import { methodsAt } from '@/store/method';
import { type ByMethod, type MethodId, type Score } from './state';

export interface AccuracyCell {
  /** 0..1. */
  readonly accuracy: number;
  readonly n: number;
  /** Rows of the whole split: the cell is final when n equals it. */
  readonly total: number;
  /** 95 % interval; null for an average. */
  readonly interval: Interval | null;
}

export interface AccuracyRow {
  readonly label: string;
  /** Parallel to the table's methods; null where nothing is computed yet. */
  readonly cells: readonly (AccuracyCell | null)[];
}

export interface AccuracyTable {
  readonly methods: readonly MethodId[];
  readonly rows: readonly AccuracyRow[];
  readonly average: AccuracyRow;
}

export interface NamedTask {
  readonly name: string;
  readonly title: string;
}

/** A row a task, then the average; a column for each of the recipe's five methods. */
export function accuracyTable(
  tasks: readonly NamedTask[],
  scores: ByMethod<Score>,
  keptPercent: number,
): AccuracyTable {
  const methods = methodsAt(keptPercent);
  return {
    methods,
    rows: tasks.map(({ name, title }) => ({
      label: title,
      cells: methods.map((method) => cellOf(scores[method]?.[name])),
    })),
    average: {
      label: 'Average',
      cells: methods.map((method) => averageCell(tasks, scores, method)),
    },
  };
}

/** Mean accuracy over the tasks, each weighing the same; null until every task has a score. */
export function averageCell(
  tasks: readonly NamedTask[],
  scores: ByMethod<Score>,
  method: MethodId,
): AccuracyCell | null {
  const cells = tasks.map(({ name }) => cellOf(scores[method]?.[name]));
  const known = cells.filter((cell) => cell !== null);
  if (known.length === 0 || known.length < cells.length) return null;
  const sum = (pick: (cell: AccuracyCell) => number): number =>
    known.reduce((total, cell) => total + pick(cell), 0);
  return {
    accuracy: sum((cell) => cell.accuracy) / known.length,
    n: sum((cell) => cell.n),
    total: sum((cell) => cell.total),
    interval: null,
  };
}

function cellOf(score: Score | undefined): AccuracyCell | null {
  if (score === undefined || score.n === 0) return null;
  const { correct, n, total } = score;
  return { accuracy: correct / n, n, total, interval: wilsonInterval(correct, n) };
}
