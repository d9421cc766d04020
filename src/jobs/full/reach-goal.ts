/**
 * Looks for the m and the format of kept values that reach a goal. m is sought in hundredths of a percent;
 * the format follows it (`formatFor`), so that bytes and, but for noise, accuracy grow with m.
 */
import { bitsPerValue, formatFor } from '@/codecs/packed/packed-format';
import { PeruError } from '@/core/errors';
import { entropyBytes } from '@/export/sparse/index-cost';
import { ScoreCache } from '@/jobs/scoring/score-cache';
import { RowProgress, scoreModels } from '@/jobs/scoring/score-models';
import { type ScoredModel } from '@/jobs/scoring/scored-group';
import { type Found, type Goal } from '@/protocol/goal';
import { sparseKey } from '@/recipe/method-id';
import { sparsePaths } from './files-written';
import { type FullJob } from './full-job';
import { largestWithin, leastReaching } from './largest-within';
import { measureSparse } from './measure-sparse';
import { plainModels, sparseModels } from './scored-models';
import { type SelectionSet } from './selection-set';

/** Hundredths of a percent in all entries. */
const STEPS = 100 * 100;
/** One percent: where looking for an accuracy begins. */
const FIRST_STEP = 100;
/** The most rows of a test that m is chosen by. */
const MOST_ROWS = 512;

const METHOD = 'peru-fft';

/** What was found, and what can be said of it only after the run has scored all rows. */
export interface Reached {
  readonly found: Found;
  /** Null where there is nothing to add. */
  readonly afterwards: ((job: FullJob) => Found | null) | null;
}

/** @throws PeruError `unsupported` for a goal that can not be reached */
export function reachGoal(job: FullJob, selections: SelectionSet, goal: Goal): Promise<Reached> {
  const quiet = quietJob(job);
  return goal.kind === 'bytes'
    ? fitBytes(quiet, selections, goal.bytesPerTask)
    : recover(quiet, selections, goal.percent);
}

/** Tells how far it is, and nothing of what it looks at on the way. Scores stay apart, too. */
function quietJob(job: FullJob): FullJob {
  return {
    ...job,
    group: { ...job.group, scores: new ScoreCache() },
    emit: (event) => {
      if (event.type === 'progress') job.emit(event);
    },
  };
}

function changeAt(step: number): Found['change'] {
  const keptPercent = step / FIRST_STEP;
  return { keptPercent, valueDtype: formatFor(keptPercent) };
}

function jobAt(job: FullJob, step: number): FullJob {
  return { ...job, recipe: { ...job.recipe, ...changeAt(step), compressors: [METHOD] } };
}

async function fitBytes(
  job: FullJob,
  selections: SelectionSet,
  bytesPerTask: number,
): Promise<Reached> {
  const { elementCount } = job.group.plan.layout;
  const bytesAt = (step: number): Promise<number> => largestFile(job, selections, step);
  const step = await largestWithin(bytesAt, {
    limit: bytesPerTask,
    steps: STEPS,
    guess: (at) => bytesAbout(at, elementCount),
  });
  if (step === 0) throw tooFewBytes(bytesPerTask, await bytesAt(1));
  const chosenBy = `a budget of ${bytesPerTask} bytes a task`;
  return { found: { change: changeAt(step), chosenBy }, afterwards: null };
}

/** Bytes of the largest task's sparse file. */
async function largestFile(job: FullJob, selections: SelectionSet, step: number): Promise<number> {
  const at = jobAt(job, step);
  const { keptPercent } = at.recipe;
  await measureSparse(at, selections, [keptPercent]);
  selections.drop(keptPercent);
  const { files } = at.group.measures.get(sparseKey(METHOD, keptPercent, at.recipe))!.row;
  const paths = new Set(sparsePaths(at.group));
  return Math.max(...files.flatMap(({ name, bytes }) => (paths.has(name) ? [bytes] : [])));
}

/** Values and positions, as many scattered at random. */
function bytesAbout(step: number, elementCount: number): number {
  const kept = (step / STEPS) * elementCount;
  const bits = bitsPerValue(formatFor(step / FIRST_STEP));
  return 1 + entropyBytes(kept, elementCount) + (kept * bits) / 8;
}

function tooFewBytes(asked: number, least: number): PeruError {
  return new PeruError(
    'unsupported',
    `No m gives files of ${asked} bytes a task: with one entry of 10,000 kept the largest takes ${least}.`,
    `Ask for ${least} bytes or more.`,
  );
}

async function recover(job: FullJob, selections: SelectionSet, percent: number): Promise<Reached> {
  const counts = job.group.tasks.flatMap(({ rowCount }) => (rowCount > 1 ? [rowCount] : []));
  if (job.group.scorer === null || counts.length === 0) throw notScored();
  const rows = Math.min(MOST_ROWS, ...counts.map((count) => Math.floor(count / 2)));
  const tuned = plainModels(job).filter(({ method }) => method === 'finetuned');
  const tunedAverage = await averageOn(job, tuned, rows);
  const aim = (percent / 100) * tunedAverage;
  const best = { step: 0, average: 0 };
  const reaches = async (step: number): Promise<boolean> => {
    const at = jobAt(job, step);
    const { keptPercent } = at.recipe;
    const average = await averageOn(at, sparseModels(at, selections, keptPercent, []), rows);
    selections.drop(keptPercent);
    if (average > best.average) Object.assign(best, { step, average });
    return average >= aim;
  };
  const step = await leastReaching(reaches, { first: FIRST_STEP, steps: STEPS });
  if (step === null) throw outOfReach(percent, (percent * best.average) / aim);
  const change = changeAt(step);
  const at = jobAt(job, step);
  const [kept] = sparseModels(at, selections, change.keptPercent, []);
  const first = { rows, models: [kept!, tuned[0]!], scores: job.group.scores };
  const share = (100 * averageOf(at, kept!)) / tunedAverage;
  const chosenBy = `the first ${rows} rows of each test, where it keeps ${share.toFixed(1)} % of the fine-tuned average`;
  return {
    found: { change, chosenBy },
    afterwards: (done) => {
      const rest = shareOfRest(done, first);
      if (rest === null) return null;
      return { change, chosenBy: `${chosenBy}; on the other rows it keeps ${rest.toFixed(1)} %` };
    },
  };
}

/** What two models were chosen by. */
interface FirstRows {
  readonly rows: number;
  readonly models: readonly ScoredModel[];
  readonly scores: ScoreCache;
}

/** The first model's share of the second's average, in percent; null where it is no share of rows. */
function shareOfRest({ group }: FullJob, { models, scores }: FirstRows): number | null {
  const averages = models.map((model) => {
    const values = group.tasks.flatMap(({ name }) => {
      const [first, all] = [scores.score(model, name), group.scores.score(model, name)];
      if (first === null || all?.metric !== 'accuracy' || all.n <= first.n) return [];
      return (all.value * all.n - first.value * first.n) / (all.n - first.n);
    });
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  });
  const share = (100 * averages[0]!) / averages[1]!;
  return Number.isFinite(share) ? share : null;
}

/** Average over the tasks that are scored, on the first rows of each. */
async function averageOn(
  job: FullJob,
  models: readonly ScoredModel[],
  rows: number,
): Promise<number> {
  await scoreModels(job, models, rows, new RowProgress(job, models));
  return averageOf(job, models[0]!);
}

function averageOf({ group: { tasks, scores } }: FullJob, model: ScoredModel): number {
  const values = tasks.flatMap(({ name }) => scores.score(model, name)?.value ?? []);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function notScored(): PeruError {
  return new PeruError(
    'unsupported',
    'What is kept of the fine-tuned accuracy is not known: no task of this group is scored.',
    'Set m by hand, or the bytes that a task may take.',
  );
}

function outOfReach(percent: number, reached: number): PeruError {
  return new PeruError(
    'unsupported',
    `No m keeps ${percent} % of the fine-tuned average with values in 1 to 4 bits: the best found keeps ${reached.toFixed(1)} %.`,
    'Choose F16 or 8-bit values, or another merge.',
  );
}
