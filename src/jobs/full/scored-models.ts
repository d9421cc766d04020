import { SPARSE_COMPRESSORS } from '@/methods/registry';
import { type WeightsOf } from '@/tensor/engine';
import { mergeKey, sparseKey, sparseMethodId } from '@/recipe/method-id';
import { type ScoredModel } from '@/jobs/scoring/scored-group';
import { type FullJob } from './full-job';
import { type SelectionSet } from './selection-set';
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

/** The recipe's compressors at one m. */
export function sparseModels(
  job: FullJob,
  selections: SelectionSet,
  percent: number,
): ScoredModel[] {
  const { group, recipe, signal } = job;
  return recipe.compressors.map((method) => ({
    method: sparseMethodId(method, percent),
    key: sparseKey(method, percent, recipe),
    title: `${SPARSE_COMPRESSORS[method].title} (${percent} %)`,
    shared: false,
    layOut: async (task, location) => {
      const selection = await selections.get(method, percent, task);
      signal.throwIfAborted();
      const of: WeightsOf = { kind: 'sparse', selection, valueDtype: recipe.valueDtype };
      const weights = await group.weights.materialize(of, location);
      return wholeModel(job, weights, { of: 'sparse', task }, location);
    },
  }));
}
