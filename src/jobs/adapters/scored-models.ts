import { type ModelWeights } from '@/tensor/engine';
import { type RankChoice } from '@/methods/peru-lora';
import { lowRankMethodId, mergeKey } from '@/recipe/method-id';
import { type ScoredModel } from '@/jobs/scoring/scored-group';
import { type AdaptedWeight, adaptedWeights } from './adapted-weights';
import { type AdapterJob } from './adapter-group';
import { type MergedAdapter } from './merged-adapters';
import { copiesOf, mergedCopies } from './copied-tensors';
import { previewOf } from './spectra';

/** Models that stand without a factorisation of their own: pretrained, single-task, merged. */
export function plainModels(job: AdapterJob): ScoredModel[] {
  return [
    {
      method: 'pretrained',
      key: 'pretrained',
      title: 'the pretrained model',
      shared: true,
      layOut: () =>
        Promise.resolve({ tensors: baseWeights(job).tensors, dispose: () => undefined }),
    },
    {
      method: 'finetuned',
      key: 'finetuned',
      title: 'the adapter',
      shared: false,
      layOut: (task, location) => {
        const adapted = [...job.group.products.indexOf[task]!].map(([name, product]) => {
          return { name, product, form: { kind: 'terms' as const } };
        });
        return layOutTask(job, task, adapted, location);
      },
    },
    {
      method: 'merged',
      key: `merged|${mergeKey(job.recipe)}`,
      title: 'the merged adapters',
      shared: true,
      layOut: (_, location) => layOutMerged(job, location),
    },
  ];
}

/** PERU-LoRA at one choice of ranks: what stands in the files it would be written to. */
export function lowRankModel(job: AdapterJob, choice: RankChoice): ScoredModel {
  const method = lowRankMethodId(choice);
  return {
    method,
    key: method,
    title: `PERU-LoRA (${method.slice(method.indexOf('@') + 1)})`,
    shared: false,
    layOut: (task, location) => {
      const { products, contents } = job.group;
      const { ranks } = previewOf(job.group, choice)[task]!;
      const adapted = contents.modules.flatMap(({ name }, module): AdaptedWeight[] => {
        const product = products.indexOf[task]!.get(name);
        const rank = ranks[module]!;
        if (product === undefined || rank === 0) return [];
        return [{ name, product, form: { kind: 'truncated', rank } }];
      });
      return layOutTask(job, task, adapted, location);
    },
  };
}

async function layOutTask(
  job: AdapterJob,
  task: number,
  adapted: readonly AdaptedWeight[],
  location: 'cpu' | 'gpu',
): Promise<ModelWeights> {
  const { engine, plan, products } = job.group;
  const copies = await copiesOf(engine, plan.adapters[task]!, location, quietly(job));
  return adaptedWeights(baseWeights(job), copies, products.lowRank, adapted, location);
}

async function layOutMerged(job: AdapterJob, location: 'cpu' | 'gpu'): Promise<ModelWeights> {
  const { engine, base, plan } = job.group;
  const merged = mergedAdapter(job);
  const { adapters, replacedTensors: names } = plan;
  const { mergePlan, lowRank, ranks } = merged;
  const parts = { base, adapters, names, mergePlan };
  const copies = await mergedCopies(engine, parts, location, quietly(job));
  const adapted = lowRank.products.flatMap(({ name }, product): AdaptedWeight[] => {
    const rank = ranks[product]!;
    return rank === 0 ? [] : [{ name, product, form: { kind: 'truncated', rank } }];
  });
  return adaptedWeights(baseWeights(job), copies, lowRank, adapted, location);
}

function baseWeights({ group }: AdapterJob): ModelWeights {
  if (group.baseWeights === null) throw new Error('Weights were laid out that nothing scores.');
  return group.baseWeights;
}

function mergedAdapter({ group }: AdapterJob): MergedAdapter {
  if (group.merged === null) throw new Error('The merged adapter was used before it was made.');
  return group.merged;
}

/** Copies were looked through when the group was opened; loading them again is no news. */
function quietly({ signal }: AdapterJob) {
  return { allowNonFinite: true, emit: () => undefined, signal };
}
