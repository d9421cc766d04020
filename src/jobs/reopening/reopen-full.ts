/** Full fine-tunes that Peru exported: merged model and sparse vectors, opened as a group again. */
import { type JobOptions } from '@/jobs/context/platform';
import { finding } from '@/plan/findings/finding';
import { type Finding } from '@/plan/preflight';

import { type HubClient } from '@/hub/hub-client';
import {
  type ExportSource,
  type ReopenedTask,
  reopenExport,
  RECIPE_FILE,
  SPARSE_SUFFIX,
} from '@/formats/checkpoint/peru-export';
import { PeruError } from '@/core/errors';
import { readRecipeFile } from '@/recipe/read-recipe';
import { type RecipeFile } from '@/recipe/recipe-file';
import { type FullSources, type TaskSource } from '@/jobs/group/sources';
import { recipeOf } from '@/sources/recipe-of';
import { namedTasks, type RecipeTask, tasksOfRecipe, unscoredFindings } from './recipe-tasks';

/**
 * The merged model is the base, and each task's checkpoint is it plus its sparse vector: the model
 * that PERU-FFT was scored with. Tasks are named, and scored, by the recipe beside them.
 *
 * @param client to the Hub the export lies on; null for files of this disk
 * @throws PeruError as `reopenExport` and `recipeOf`
 */
export async function reopenFull(
  folder: ExportSource,
  client: HubClient | null,
  options: JobOptions,
): Promise<FullSources> {
  const [{ merged, tasks }, recipe] = await Promise.all([
    reopenExport(folder, options),
    recipeOf(folder.repo, options),
  ]);
  const told = recipe ?? recipeInside(tasks);
  const named =
    recipe !== null
      ? (await tasksOfRecipe(recipe, client, options)).tasks
      : told === null
        ? []
        : namedTasks(told);
  const sources = taskSources(tasks, named);
  return {
    kind: 'full',
    title: told === null ? 'An export of Peru, opened again' : `Opened again: ${told.title}`,
    base: { ...merged, name: 'merged' },
    tasks: sources,
    lambda: null,
    findings: [
      ...unscoredFindings(recipe, sources),
      ...taskFindings(tasks, named),
      ...recipeFindings(recipe, tasks),
    ],
  };
}

/** In the recipe's order; files that it does not know come last, by their own names. */
function taskSources(
  tasks: readonly ReopenedTask[],
  named: readonly RecipeTask[],
): TaskSource<ReopenedTask>[] {
  const byStem = new Map(tasks.map((task) => [task.stem, task] as const));
  const known = named.flatMap(({ record, stem, title, scoredOn }) => {
    const model = byStem.get(stem);
    return model === undefined ? [] : [{ name: record.task, title, model, scoredOn }];
  });
  const taken = new Set(known.map(({ model }) => model.stem));
  const names = new Set(known.map(({ name }) => name));
  const others = tasks
    .filter(({ stem }) => !taken.has(stem))
    .map((model) => {
      const name = names.has(model.stem) ? model.weightsPath : model.stem;
      return { name, title: name, model, scoredOn: null };
    });
  return [...known, ...others];
}

function taskFindings(tasks: readonly ReopenedTask[], named: readonly RecipeTask[]): Finding[] {
  if (named.length === 0) return [];
  const stems = new Set(named.map(({ stem }) => stem));
  const files = new Set(tasks.map(({ stem }) => stem));
  const strange = tasks.filter(({ stem }) => !stems.has(stem));
  const missing = named.filter(({ stem }) => !files.has(stem));
  return [
    ...strange.map(({ weightsPath }) =>
      finding({
        level: 'warning',
        topic: 'sources',
        title: `${weightsPath} is none of the recipe’s tasks, so it is not scored.`,
        detail: 'It was renamed or comes from another export of the same merged model.',
      }),
    ),
    ...missing.map(({ record, stem }) =>
      finding({
        level: 'note',
        topic: 'sources',
        title: `${record.task} is left out: ${stem}${SPARSE_SUFFIX} is not among the files opened.`,
      }),
    ),
  ];
}

/** A recipe.json put there later names the wrong tasks and settings. */
function recipeFindings(recipe: RecipeFile | null, tasks: readonly ReopenedTask[]): Finding[] {
  if (recipe === null) return [];
  const inside = tasks.map((task) => ({ task, recipe: recipeInside([task]) }));
  return inside
    .filter((one) => one.recipe !== null && !sameRecipe(one.recipe, recipe))
    .map(({ task }) =>
      finding({
        level: 'warning',
        topic: 'sources',
        title: `${RECIPE_FILE} is not the recipe that ${task.weightsPath} was made by.`,
        detail: 'Names and test sets are taken from recipe.json: check that it is this export’s.',
      }),
    );
}

function sameRecipe(one: RecipeFile, other: RecipeFile): boolean {
  // The reader gives all recipes the same order of keys.
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The recipe in the files' own metadata; null where none can be read. */
function recipeInside(tasks: readonly ReopenedTask[]): RecipeFile | null {
  for (const { recipe, weightsPath } of tasks) {
    try {
      return readRecipeFile(recipe, weightsPath);
    } catch (error) {
      if (!(error instanceof PeruError)) throw error;
    }
  }
  return null;
}
