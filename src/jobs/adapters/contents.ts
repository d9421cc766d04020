import { type SourceSettings } from '@/export/adapter/adapter-config';
import { type AdapterPlan, type PlannedAdapter } from '@/formats/lora/adapter-plan';
import { type LoraAdapter, type LoraMetadata } from '@/formats/lora/lora-adapter';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { type RepoSource } from '@/formats/checkpoint/checkpoint-source';
import { type AdaptedModule, type AdapterContents } from '@/export/adapter/adapter-contents';
import { type TaskProducts } from './task-products';

interface Contents {
  readonly taskNames: readonly string[];
  readonly base: CheckpointTensors;
  readonly adapters: readonly LoraAdapter[];
  readonly plan: AdapterPlan;
  readonly products: TaskProducts;
  readonly baseModel: string | null;
}

/** What the page must know of a group of adapters to preview any choice of ranks. */
export function adapterContents(contents: Contents): AdapterContents {
  const { taskNames, adapters, plan, products, baseModel } = contents;
  const { lowRank, indexOf } = products;
  const modules = plan.adaptedWeights.map((name) => adaptedModule(name, contents));
  const tasks = taskNames.map((task, index) => ({
    task,
    ranks: modules.map(({ name }) => {
      const product = indexOf[index]!.get(name);
      return product === undefined ? 0 : lowRank.ranks[product]!;
    }),
    writtenNames: namesOtherThanBase(plan.adapters[index]!),
    copies: [...plan.adapters[index]!.copies].map(([name, { dtype, shape }]) => {
      return { name, dtype, shape };
    }),
    source: settingsOf(adapters[index]!.metadata),
  }));
  const maxRank = tasks.reduce((most, { ranks }) => Math.max(most, ...ranks), 0);
  return { kind: 'adapters', modules, tasks, baseModel, maxRank };
}

function settingsOf({
  taskType,
  modelClass,
  modulesToSave,
  tiesWeights,
}: LoraMetadata): SourceSettings {
  return { taskType, modelClass, modulesToSave, tiesWeights };
}

function namesOtherThanBase({ modules, names }: PlannedAdapter): Record<string, string> {
  const renamed = modules
    .map(({ weight }) => [weight, names.get(weight)!] as const)
    .filter(([weight, own]) => own !== weight);
  return Object.fromEntries(renamed);
}

/** What an adapter can name its base by: a repo's main folder on the Hub. */
export function baseModelOf({
  hub,
}: RepoSource & {
  readonly hub?: { readonly repo: string; readonly folder: string };
}): string | null {
  return hub === undefined || hub.folder !== '' ? null : hub.repo;
}

function adaptedModule(name: string, { plan }: Contents): AdaptedModule {
  const all = plan.adapters.flatMap(({ modules }) => modules);
  const module = all.find(({ weight }) => weight === name);
  if (module === undefined) throw new RangeError(`No adapter changes "${name}".`);
  const { rows, columns, layer } = module;
  return { name, rows, columns, layer };
}
