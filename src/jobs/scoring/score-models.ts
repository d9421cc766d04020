import { type Progress } from '@/protocol/events';
import { type RowKind } from '@/protocol/group-facts';
import { type ModelWeights } from '@/tensor/engine';
import { Ahead } from './ahead';
import { type GroupScorer, type SplitFacts } from './group-scorer';
import { rowsOf } from '@/evaluate/runtime/outcome';
import { type ScoredModel, type Job, type OpenTask } from './scored-group';

/** Rows of each task scored first: the data sets are ordered so that these are stratified. */
export const SAMPLE_ROWS = 128;

/**
 * Scores every model on every task up to `rowLimit` rows of its data set, skipping rows the cache
 * holds. Tasks are the outer loop, so that whole rows of the table fill first.
 */
export async function scoreModels(
  job: Job,
  models: readonly ScoredModel[],
  rowLimit: number,
  progress: RowProgress,
): Promise<void> {
  const { scorer, tasks } = job.group;
  if (scorer === null) return;
  const shared = new Map<ScoredModel, ModelWeights>();
  const cells = new Ahead(scorer.atOnce);
  try {
    for (const [taskIndex, task] of tasks.entries()) {
      const split = scorer.splits[taskIndex] ?? null;
      if (split === null) continue;
      prepareNext(job, scorer, models, { after: taskIndex, rowLimit });
      for (const model of models) {
        if (!needsRows(job, model, task, rowLimit)) continue;
        await cells.room();
        job.signal.throwIfAborted();
        const weights = shared.get(model) ?? (await model.layOut(taskIndex, scorer.location));
        if (model.shared) shared.set(model, weights);
        const cell = { model, task, split, scorer, weights, rowLimit, progress };
        cells.begin(async (before) => {
          try {
            await scoreCell(job, cell, before);
          } finally {
            if (!model.shared) weights.dispose();
          }
        });
      }
    }
    await cells.end();
  } finally {
    for (const weights of shared.values()) weights.dispose();
  }
}

/** Has the next task of which rows are left readied while one is scored. */
function prepareNext(
  { group, signal }: Job,
  scorer: GroupScorer,
  models: readonly ScoredModel[],
  { after, rowLimit }: { readonly after: number; readonly rowLimit: number },
): void {
  for (const [index, { name, rowCount }] of [...group.tasks.entries()].slice(after + 1)) {
    const known = models.map((model) => group.scores.score(model, name)?.n ?? 0);
    const first = Math.min(...known);
    if (first >= Math.min(rowLimit, rowCount)) continue;
    scorer.prepare(index, first, signal);
    return;
  }
}

/** Tells what the cache knows of a cell and whether that is all of it. */
function needsRows(
  { group, emit }: Job,
  model: ScoredModel,
  task: OpenTask,
  rowLimit: number,
): boolean {
  const known = group.scores.score(model, task.name);
  if (known !== null) emit({ type: 'score', score: known });
  return (known?.n ?? 0) < Math.min(rowLimit, task.rowCount);
}

interface Cell {
  readonly model: ScoredModel;
  readonly task: OpenTask;
  readonly split: SplitFacts;
  readonly scorer: GroupScorer;
  readonly weights: ModelWeights;
  readonly rowLimit: number;
  readonly progress: RowProgress;
}

/** @param before ends when what is told of the cells before has been */
async function scoreCell(
  { group, emit, signal }: Job,
  cell: Cell,
  before: Promise<void>,
): Promise<void> {
  const { model, task, split, scorer, weights, rowLimit, progress } = cell;
  const from = group.scores.score(model, task.name)?.n ?? 0;
  const to = Math.min(rowLimit, task.rowCount);
  const scored = scorer.score(task.index, weights, { from, to, signal });
  // Told below, unless a cell before it is told to have failed.
  scored.catch(() => undefined);
  await before;
  progress.begin(`Scoring ${model.title} on ${task.title}`, split.rowKind);
  const outcome = await scored;
  emit({ type: 'score', score: group.scores.add(model, task.name, outcome, task.rowCount) });
  progress.add(rowsOf(outcome));
}

const UNITS: Readonly<Record<RowKind, Progress['unit']>> = { image: 'images', text: 'texts' };

/** Rows scored, of all that the job's models need; called what they are in the task at hand. */
export class RowProgress {
  readonly #emit: Job['emit'];
  readonly #total: number;
  #done = 0;
  #stage = '';
  #unit: Progress['unit'] = 'tasks';

  constructor({ group, emit }: Job, models: readonly ScoredModel[]) {
    this.#emit = emit;
    let total = 0;
    for (const task of group.tasks) {
      total += task.rowCount * models.length;
      for (const model of models) this.#done += group.scores.score(model, task.name)?.n ?? 0;
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
