/** LoRA adapters that Peru exported: a folder a task, the merged adapter beside them. */
import { type JobOptions } from '@/jobs/context/platform';
import { finding } from '@/plan/findings/finding';
import { type Finding } from '@/plan/preflight';
import { type AdapterSource } from '@/formats/lora/lora-adapter';
import { baseOfAdapters } from '@/jobs/group/base-of-adapters';
import { type CheckpointSource } from '@/formats/checkpoint/checkpoint-source';
import { type HubClient } from '@/hub/hub-client';
import { loadPart } from '@/core/load-part';
import { MERGED_ADAPTER } from '@/formats/checkpoint/peru-export';
import { PeruError } from '@/core/errors';
import { type RecipeFile, type SourceRecord } from '@/recipe/recipe-file';
import { type AdapterSources, type TaskSource } from '@/jobs/group/sources';
import { compareSources } from './compare-sources';
import { referenceTo } from '@/sources/recipe-of';
import { type RecipeTask, type RecipeTasks, tasksOfRecipe, unscoredFindings } from './recipe-tasks';

/** Adapters in the folder of a recipe, one folder each. */
export interface AdapterExport {
  readonly recipe: RecipeFile;
  readonly adapters: readonly AdapterSource[];
}

/** Where the adapters' base may come from. */
export interface BasePlaces {
  /** Full models that were added beside the export. */
  readonly checkpoints: readonly CheckpointSource[];
  /** Id of the one that the visitor chose. */
  readonly chosen: string | undefined;
  /** To the Hub that the export lies on; null for files of this disk, which ask no Hub. */
  readonly client: HubClient | null;
}

/**
 * The base is one that was added, else the one the recipe names: the demo's, or a repo at its commit.
 *
 * @throws PeruError `source` when the base must be added, saying which; `choose-base` among several
 */
export async function reopenAdapters(
  { recipe, adapters }: AdapterExport,
  places: BasePlaces,
  options: JobOptions,
): Promise<AdapterSources> {
  const known = await tasksOfRecipe(recipe, places.client, options);
  const base = await findBase(recipe, adapters, known, places, options);
  const tasks = taskSources(adapters, known.tasks);
  return {
    kind: 'adapters',
    title: `Opened again: ${recipe.title}`,
    base,
    tasks,
    lambda: recipe.merge.lambda ?? null,
    findings: [
      ...unscoredFindings(recipe, tasks),
      ...taskFindings(tasks, known.tasks),
      ...(await compareSources([{ record: recipe.base, repo: base }], options)),
    ],
  };
}

/** In the recipe's order; folders that it does not know come last, the merged adapter never. */
function taskSources(
  adapters: readonly AdapterSource[],
  named: readonly RecipeTask[],
): TaskSource<AdapterSource>[] {
  const byStem = new Map(adapters.map((adapter) => [stemOf(adapter), adapter] as const));
  const known = named.flatMap(({ record, stem, title, scoredOn }) => {
    const model = byStem.get(stem);
    return model === undefined ? [] : [{ name: record.task, title, model, scoredOn }];
  });
  const taken = new Set(known.map(({ model }) => model));
  const others = adapters
    .filter((adapter) => !taken.has(adapter) && stemOf(adapter) !== MERGED_ADAPTER)
    .map((model) => ({ name: model.name, title: model.name, model, scoredOn: null }));
  return [...known, ...others];
}

function stemOf({ folder }: AdapterSource): string {
  return folder.slice(folder.lastIndexOf('/') + 1);
}

function taskFindings(
  tasks: readonly TaskSource<AdapterSource>[],
  named: readonly RecipeTask[],
): Finding[] {
  const names = new Set(tasks.map(({ name }) => name));
  const missing = named.filter(({ record }) => !names.has(record.task));
  return missing.map(({ record, stem }) =>
    finding({
      level: 'note',
      topic: 'sources',
      title: `${record.task} is left out: the folder ${stem} is not there.`,
    }),
  );
}

async function findBase(
  { base, group }: RecipeFile,
  adapters: readonly AdapterSource[],
  { demo }: RecipeTasks,
  { checkpoints, chosen, client }: BasePlaces,
  options: JobOptions,
): Promise<CheckpointSource> {
  if (checkpoints.length > 0) return baseOfAdapters(adapters, checkpoints, chosen);
  if (demo !== null) return demo.base;
  const reference = referenceTo(base);
  if (group.kind !== 'hub' || client === null || reference === null)
    throw baseToAdd(base, reference);
  const { openHubModel } = await loadPart(() => import('@/hub/hub-repo'));
  const model = await openHubModel(reference, client, options);
  if ('weightsPath' in model) return model;
  throw new PeruError(
    'mismatch',
    `${reference}, which the recipe names as the adapters' base, is an adapter itself.`,
    'Open the adapters together with their base model.',
  );
}

function baseToAdd({ name, files }: SourceRecord, reference: string | null): PeruError {
  const where = reference === null ? name : `${reference} from the Hub`;
  const listed = files.map(({ path, sha256 }) => `${path} (SHA-256 ${sha256.slice(0, 12)}…)`);
  return new PeruError(
    'source',
    `These adapters were exported without their base model, ${reference ?? name}.`,
    `Add the base beside them: ${where}${listed.length > 0 ? `, with ${listed.join(', ')}` : ''}.`,
  );
}
