/**
 * One job: merge, select, measure storage, score. The current m comes first on a stratified
 * sample, then on the whole split; the other points of the chart follow when that stands. Weights
 * that are streamed are used task by task instead: all that is asked of a task while it is here.
 */
import { RowProgress, SAMPLE_ROWS, scoreModels } from '@/jobs/scoring/score-models';
import { type ScoredModel, reportMemory, timeStage } from '@/jobs/scoring/scored-group';
import { plainModels, sparseModels } from './scored-models';
import { type FullJob } from './full-job';
import { measureSparse, storageRows } from './measure-sparse';
import { mergeGroup } from './merge-group';
import { reachGoal } from './reach-goal';
import { SelectionSet } from './selection-set';
import { type Goal } from '@/protocol/goal';

/** Shares of kept entries, in percent, that the chart shows besides the visitor's own. */
const CHART_PERCENTS = [1, 5, 10];

/**
 * Streams everything the recipe asks for through `job.emit`; rejects when aborted.
 *
 * @param goal looked for once theta* stands; the run goes on with what was found
 * @throws PeruError `unsupported` for a goal that can not be reached
 */
export async function runFull(asked: FullJob, goal?: Goal): Promise<void> {
  const selections = new SelectionSet(asked);
  let job = asked;
  try {
    await timeStage(job, 'merge', () => mergeGroup(job));
    if (goal !== undefined) {
      const { found, afterwards } = await reachGoal(job, selections, goal);
      job.emit({ type: 'found', found });
      job = { ...job, recipe: { ...job.recipe, ...found.change } };
      await runLoaded(job, selections);
      const more = afterwards?.(job) ?? null;
      if (more !== null) job.emit({ type: 'found', found: more });
    } else await runLoaded(job, selections);
  } finally {
    selections.dispose();
    reportMemory(job);
  }
}

function runLoaded(job: FullJob, selections: SelectionSet): Promise<void> {
  const isStreamed = job.group.memory.mode === 'streamed';
  return isStreamed ? runByTask(job, selections) : runByModel(job, selections);
}

async function runByModel(job: FullJob, selections: SelectionSet): Promise<void> {
  const { keptPercent } = job.recipe;
  const current = [...plainModels(job), ...sparseModels(job, selections, keptPercent, [])];
  const others = chartPercents(job);
  const chart = new Map(others.map((m) => [m, sparseModels(job, selections, m, others)] as const));
  const progress = new RowProgress(job, [...current, ...[...chart.values()].flat()]);
  await timeStage(job, 'select', async () => {
    await tellHistograms(job);
    await measure(job, selections, [keptPercent]);
  });
  await timeStage(job, 'sample', () => scoreModels(job, current, SAMPLE_ROWS, progress));
  await timeStage(job, 'evaluate', () => scoreModels(job, current, Infinity, progress));
  await timeStage(job, 'chart', async () => {
    await measure(job, selections, others);
    for (const [percent, models] of chart) {
      await scoreModels(job, models, Infinity, progress);
      selections.drop(percent);
    }
  });
}

async function runByTask(job: FullJob, selections: SelectionSet): Promise<void> {
  const percents = [job.recipe.keptPercent, ...chartPercents(job)];
  const models: ScoredModel[] = [
    ...plainModels(job),
    ...percents.flatMap((percent) => sparseModels(job, selections, percent, percents)),
  ];
  await timeStage(job, 'select', async () => {
    await measure(job, selections, percents);
    // Selecting has counted them already.
    await tellHistograms(job);
  });
  const progress = new RowProgress(job, models);
  await timeStage(job, 'evaluate', () => scoreModels(job, models, Infinity, progress));
}

function chartPercents({ recipe }: FullJob): number[] {
  return CHART_PERCENTS.filter((percent) => percent !== recipe.keptPercent);
}

/** The slider's histograms around theta*. */
async function tellHistograms({ group, emit, signal }: FullJob): Promise<void> {
  const histograms = [];
  for (const [index, { name }] of group.tasks.entries()) {
    signal.throwIfAborted();
    const { counts } = await group.weights.histogram('merged', index);
    histograms.push({ task: name, counts });
  }
  emit({ type: 'histograms', histograms });
}

async function measure(
  job: FullJob,
  selections: SelectionSet,
  keptPercents: readonly number[],
): Promise<void> {
  await measureSparse(job, selections, keptPercents);
  const percents = [...new Set([...CHART_PERCENTS, job.recipe.keptPercent])].sort((a, b) => a - b);
  job.emit({ type: 'storage', rows: storageRows(job, percents) });
  reportMemory(job);
}
