/** The accuracy table as numbers, ready to be drawn. Pure. */
import { type Interval, wilsonInterval } from '@/core/statistics/wilson';
import { spearmanInterval } from '@/core/statistics/spearman-interval';
import { type MethodFamily, parseMethod } from '@/recipe/parsed-method';
import { type Metric } from '@/store/state/sources';
import { type ByMethod, type MethodId, type Score } from '@/store/state/results';

export interface AccuracyCell {
  /** Accuracy 0..1 or correlation -1..1; for an average, the mean of them. */
  readonly value: number;
  readonly n: number;
  /** Rows of the whole split: the cell is final when n equals it. */
  readonly total: number;
  /** 95 % interval; null for an average. */
  readonly interval: Interval | null;
}

export interface AccuracyRow {
  readonly label: string;
  /** Null for the average, which may mix them. */
  readonly metric: Metric | null;
  /** Parallel to the table's methods; null where nothing is computed yet. */
  readonly cells: readonly (AccuracyCell | null)[];
}

export interface AccuracyTable {
  readonly methods: readonly MethodId[];
  readonly rows: readonly AccuracyRow[];
  readonly average: AccuracyRow;
}

/** The average of a family's method, where the table has one and it stands. */
export function averageOf(
  { methods, average }: AccuracyTable,
  family: MethodFamily,
): AccuracyRow['cells'][number] {
  const at = methods.findIndex((method) => parseMethod(method)?.family === family);
  return average.cells[at] ?? null;
}

export interface NamedTask {
  readonly name: string;
  readonly title: string;
  /** Null where there is none, and nothing to score. */
  readonly dataset: { readonly metric: Metric } | null;
}

/** A row a task, then the average; a column a method. */
export function accuracyTable(
  tasks: readonly NamedTask[],
  scores: ByMethod<Score>,
  methods: readonly MethodId[],
): AccuracyTable {
  return {
    methods,
    rows: tasks.map(({ name, title, dataset }) => ({
      label: title,
      metric: dataset?.metric ?? null,
      cells: methods.map((method) => cellOf(scores[method]?.[name])),
    })),
    average: {
      label: 'Average',
      metric: null,
      cells: methods.map((method) => averageCell(tasks, scores, method)),
    },
  };
}

/** Mean of the tasks' metrics, each weighing the same; null until every task has a score. */
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
    value: sum((cell) => cell.value) / known.length,
    n: sum((cell) => cell.n),
    total: sum((cell) => cell.total),
    interval: null,
  };
}

function cellOf(score: Score | undefined): AccuracyCell | null {
  if (score === undefined || score.n === 0) return null;
  const { value, n, total } = score;
  return { value, n, total, interval: intervalOf(score) };
}

function intervalOf({ metric, value, n }: Score): Interval {
  switch (metric) {
    case 'accuracy':
      return wilsonInterval(Math.round(value * n), n);
    case 'spearman':
      return spearmanInterval(value, n);
  }
}
