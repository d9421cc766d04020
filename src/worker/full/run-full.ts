/**
 * One job: merge, select, measure storage, score. The current m comes first on a stratified
 * sample, then on the whole split; the other points of the chart follow when that stands.
 */
import { MERGERS } from '@/methods/registry';
import { mergeKey } from '@/worker/method-id';
import { RowProgress, SAMPLE_ROWS, scoreColumns } from '@/worker/scoring/score-columns';
import { reportMemory, timeStage } from '@/worker/scoring/scored-group';
import { plainColumns, sparseColumns } from './columns';
import { type FullJob } from './full-job';
import { measureSparse, storageRows } from './measure-sparse';
import { SelectionSet } from './selection-set';

/** Shares of kept entries, in percent, that the chart shows besides the visitor's own. */
const CHART_PERCENTS = [1, 5, 10];

/** Streams everything the recipe asks for through `job.emit`; rejects when aborted. */
export async function runFull(job: FullJob): Promise<void> {
  const { keptPercent } = job.recipe;
  const chartPercents = CHART_PERCENTS.filter((percent) => percent !== keptPercent);
  const selections = new SelectionSet(job);
  const current = [...plainColumns(job), ...sparseColumns(job, selections, keptPercent)];
  const chart = new Map(chartPercents.map((m) => [m, sparseColumns(job, selections, m)]));
  const progress = new RowProgress(job, [...current, ...[...chart.values()].flat()]);
  try {
    await timeStage(job, 'merge', () => merge(job));
    await timeStage(job, 'select', () => measure(job, selections, keptPercent));
    await timeStage(job, 'sample', () => scoreColumns(job, current, SAMPLE_ROWS, progress));
    await timeStage(job, 'evaluate', () => scoreColumns(job, current, Infinity, progress));
    await timeStage(job, 'chart', async () => {
      for (const [percent, columns] of chart) {
        await measure(job, selections, percent);
        await scoreColumns(job, columns, Infinity, progress);
        selections.drop(percent);
      }
    });
  } finally {
    selections.dispose();
  }
}

/** theta* for the recipe, unless it stands already, and the slider's histograms around it. */
async function merge({ group, recipe, emit, signal }: FullJob): Promise<void> {
  const key = mergeKey(recipe);
  if (group.mergedKey !== key) {
    // Until the merge has ended, theta* belongs to no recipe.
    group.mergedKey = null;
    const { mergeMethod, lambda } = recipe;
    const coefficients = MERGERS[mergeMethod].coefficients(group.tasks.length, lambda);
    await group.weights.merge(coefficients, group.mergedDtype);
    group.mergedKey = key;
  }
  const histograms = [];
  for (const [index, { name }] of group.tasks.entries()) {
    signal.throwIfAborted();
    const { counts } = await group.weights.histogram('merged', index);
    histograms.push({ task: name, counts });
  }
  emit({ type: 'histograms', histograms });
}

async function measure(job: FullJob, selections: SelectionSet, keptPercent: number): Promise<void> {
  await measureSparse(job, selections, keptPercent);
  const percents = [...new Set([...CHART_PERCENTS, job.recipe.keptPercent])].sort((a, b) => a - b);
  job.emit({ type: 'storage', rows: storageRows(job, percents) });
  reportMemory(job);
}
