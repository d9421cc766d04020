import { SPARSE_COMPRESSORS, type SparseMethod } from '@/methods/registry';
import { isPacked } from '@/codecs/packed/packed-format';
import { type Selection, type WeightsOf } from '@/tensor/engine';
import { mergeKey, sparseKey, sparseMethodId } from '@/recipe/method-id';
import { isRescaled } from '@/recipe/stored-values';
import { type ModelKey } from '@/jobs/scoring/score-cache';
import { type ScoredModel } from '@/jobs/scoring/scored-group';
import { type FullJob } from './full-job';
import { type SelectionSet } from './selection-set';
import { codeTask, decodedEntries, planPacked } from './packed-task';
import { wholeModel } from './whole-model';

/** Models that stand without a selection: pretrained, fine-tuned, merged. */
export function plainModels(job: FullJob): ScoredModel[] {
  const { recipe } = job;
  const { weights } = job.group;
  const shared =
    (of: WeightsOf): ScoredModel['layOut'] =>
    async (_, location) => {
      const merged = await weights.materialize(of, location);
      return wholeModel(job, merged, { of: 'base' }, location);
    };
  return [
    {
      method: 'pretrained',
      key: 'pretrained',
      title: 'the pretrained model',
      shared: true,
      layOut: shared({ kind: 'base' }),
    },
    {
      method: 'finetuned',
      key: 'finetuned',
      title: 'the fine-tuned model',
      shared: false,
      layOut: async (task, location) => {
        const merged = await weights.materialize({ kind: 'task', task }, location);
        return wholeModel(job, merged, { of: 'task', task }, location);
      },
    },
    {
      method: 'merged',
      key: `merged|${mergeKey(recipe)}`,
      title: 'the merged model',
      shared: true,
      layOut: shared({ kind: 'merged' }),
    },
  ];
}

/**
 * The recipe's compressors at one m.
 *
 * @param together m that are scored in turn: what of them a task still needs is selected with the first
 */
export function sparseModels(
  job: FullJob,
  selections: SelectionSet,
  percent: number,
  together: readonly number[],
): ScoredModel[] {
  const { group, recipe, signal } = job;
  return recipe.compressors.map((method) => ({
    ...modelKey(job, method, percent),
    title: `${SPARSE_COMPRESSORS[method].title} (${percent} %)`,
    shared: false,
    layOut: async (task, location) => {
      const others = together.filter((m) => m !== percent && isOpen(job, method, m, task));
      const [selection] = await selections.get(method, [percent, ...others], task);
      signal.throwIfAborted();
      const of = await sparseWeights(job, method, selection!, percent);
      const weights = await group.weights.materialize(of, location);
      return wholeModel(job, weights, { of: 'sparse', task }, location);
    },
  }));
}

/** The center plus the values that the file of this recipe holds. */
export async function sparseWeights(
  job: FullJob,
  method: SparseMethod,
  selection: Selection,
  percent: number,
): Promise<WeightsOf> {
  const { group, recipe } = job;
  const { valueDtype } = recipe;
  const rescaled = isRescaled(recipe);
  if (!isPacked(valueDtype)) return { kind: 'sparse', selection, valueDtype, rescaled };
  const measure = group.measures.get(sparseKey(method, percent, recipe));
  const plan = measure?.contents[selection.task]?.packed;
  const known = plan ?? (await planPacked(job, selection, valueDtype));
  const coded = [];
  for await (const tensor of codeTask(job, selection, known, rescaled)) coded.push(tensor);
  const entries = decodedEntries(coded, known, group.weights.layout);
  return { kind: 'added', center: selection.center, entries };
}

function modelKey({ recipe }: FullJob, method: SparseMethod, percent: number): ModelKey {
  return {
    method: sparseMethodId(method, percent),
    key: sparseKey(method, percent, recipe),
  };
}

/** Rows of the task are left to score. */
function isOpen(job: FullJob, method: SparseMethod, percent: number, index: number): boolean {
  const { scores, tasks } = job.group;
  const task = tasks[index]!;
  return (scores.score(modelKey(job, method, percent), task.name)?.n ?? 0) < task.rowCount;
}
