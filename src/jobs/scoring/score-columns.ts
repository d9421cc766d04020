import { type Progress } from '@/protocol/events';
import { type RowKind } from '@/protocol/group-facts';
import { type ModelWeights } from '@/tensor/engine';
import { type GroupScorer, type SplitFacts } from './group-scorer';
import { rowsOf } from '@/evaluate/runtime/outcome';
import { type Column, type Job, type OpenTask } from './scored-group';

/** Rows of each task scored first: the data sets are ordered so that these are stratified. */
export const SAMPLE_ROWS = 128;

/**
 * Scores every column on every task up to `rowLimit` rows of its data set, skipping rows the book
 * holds. Tasks are the outer loop, so that whole rows of the table fill first.
 */
export async function scoreColumns(
  job: Job,
  columns: readonly Column[],
  rowLimit: number,
  progress: RowProgress,
): Promise<void> {
  const { scorer, tasks } = job.group;
  if (scorer === null) return;
  const shared = new Map<Column, ModelWeights>();
  try {
    for (const [taskIndex, task] of tasks.entries()) {
      const split = scorer.splits[taskIndex] ?? null;
      if (split === null) continue;
      for (const column of columns) {
        if (!needsRows(job, column, task, rowLimit)) continue;
        job.signal.throwIfAborted();
        const weights = shared.get(column) ?? (await column.layOut(taskIndex, scorer.location));
        if (column.shared) shared.set(column, weights);
        try {
          await scoreCell(job, { column, task, split, scorer, weights, rowLimit, progress });
        } finally {
          if (!column.shared) weights.dispose();
        }
      }
    }
  } finally {
    for (const weights of shared.values()) weights.dispose();
  }
}

/** Tells what the book knows of a cell and whether that is all of it. */
function needsRows(
  { group, emit }: Job,
  column: Column,
  task: OpenTask,
  rowLimit: number,
): boolean {
  const known = group.scores.score(column, task.name);
  if (known !== null) emit({ type: 'score', score: known });
  return (known?.n ?? 0) < Math.min(rowLimit, task.rowCount);
}

interface Cell {
  readonly column: Column;
  readonly task: OpenTask;
  readonly split: SplitFacts;
  readonly scorer: GroupScorer;
  readonly weights: ModelWeights;
  readonly rowLimit: number;
  readonly progress: RowProgress;
}

async function scoreCell({ group, emit, signal }: Job, cell: Cell): Promise<void> {
  const { column, task, split, scorer, weights, rowLimit, progress } = cell;
  const from = group.scores.score(column, task.name)?.n ?? 0;
  const to = Math.min(rowLimit, task.rowCount);
  progress.begin(`Scoring ${column.title} on ${task.title}`, split.rowKind);
  signal.throwIfAborted();
  const outcome = await scorer.score(task.index, weights, { from, to, signal });
  emit({ type: 'score', score: group.scores.add(column, task.name, outcome, task.rowCount) });
  progress.add(rowsOf(outcome));
}

const UNITS: Readonly<Record<RowKind, Progress['unit']>> = { image: 'images', text: 'texts' };

/** Rows scored, of all that the job's columns need; called what they are in the task at hand. */
export class RowProgress {
  readonly #emit: Job['emit'];
  readonly #total: number;
  #done = 0;
  #stage = '';
  #unit: Progress['unit'] = 'tasks';

  constructor({ group, emit }: Job, columns: readonly Column[]) {
    this.#emit = emit;
    let total = 0;
    for (const task of group.tasks) {
      total += task.rowCount * columns.length;
      for (const column of columns) this.#done += group.scores.score(column, task.name)?.n ?? 0;
    }
    this.#total = total;
  }

  begin(stage: string, rowKind: RowKind): void {
    this.#stage = stage;
    this.#unit = UNITS[rowKind];
    this.add(0);
  }

  add(rows: number): void {
    this.#done += rows;
    this.#emit({
      type: 'progress',
      progress: { stage: this.#stage, done: this.#done, total: this.#total, unit: this.#unit },
    });
  }
}
