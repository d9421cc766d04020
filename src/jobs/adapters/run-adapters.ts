/**
 * One job on adapters: factorise once, merge, then score. The current rank comes first on a
 * stratified sample, then on the whole split; the other points of the chart follow.
 */
import { lowRankMethodId } from '@/recipe/method-id';
import { type RankChoice } from '@/methods/peru-lora';
import { RowProgress, SAMPLE_ROWS, scoreModels } from '@/jobs/scoring/score-models';
import { reportMemory, timeStage } from '@/jobs/scoring/scored-group';
import { type AdapterJob } from './adapter-group';
import { lowRankModel, plainModels } from './scored-models';
import { mergeAdapters } from './merged-adapter';
import { previewOf, taskSpectra } from './spectra';
import { adapterStorage } from './storage';

/** Ranks that the chart shows besides the visitor's own. */
const CHART_RANKS = [16, 8, 4];

/** Streams everything the recipe asks for through `job.emit`; rejects when aborted. */
export async function runAdapters(job: AdapterJob): Promise<void> {
  const { rank } = job.recipe;
  const chartChoices = chartRanks(job).filter(
    (one) => lowRankMethodId(one) !== lowRankMethodId(rank),
  );
  const current = [...plainModels(job), lowRankModel(job, rank)];
  const chart = chartChoices.map((choice) => lowRankModel(job, choice));
  const progress = new RowProgress(job, [...current, ...chart]);
  await timeStage(job, 'factorize', () => factorize(job));
  await timeStage(job, 'merge', () => mergeAdapters(job));
  measure(job, [rank, ...chartChoices]);
  await timeStage(job, 'sample', () => scoreModels(job, current, SAMPLE_ROWS, progress));
  await timeStage(job, 'evaluate', () => scoreModels(job, current, Infinity, progress));
  await timeStage(job, 'chart', () => scoreModels(job, chart, Infinity, progress));
}

/** The chart's ranks that the adapters have; all they have where that is less than any. */
function chartRanks({ group }: AdapterJob): RankChoice[] {
  const { maxRank } = group.contents;
  const ranks = CHART_RANKS.filter((q) => q <= maxRank);
  return (ranks.length > 0 ? ranks : [maxRank]).map((q) => ({ by: 'count', q }));
}

async function factorize({ group, emit, signal }: AdapterJob): Promise<void> {
  const report = await group.products.lowRank.factorize();
  signal.throwIfAborted();
  emit({ type: 'spectra', report, spectra: taskSpectra(group) });
}

function measure(job: AdapterJob, choices: readonly RankChoice[]): void {
  for (const choice of choices) {
    const method = lowRankMethodId(choice);
    for (const { task, ranks, energyShare, bytes } of previewOf(job.group, choice)) {
      job.emit({ type: 'low-rank', facts: { method, task, ranks, energyShare, bytes } });
    }
  }
  job.emit({ type: 'storage', rows: adapterStorage(job, choices) });
  reportMemory(job);
}
