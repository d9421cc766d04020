/** Opens what was asked for: a demo, files, or repos of the Hub. */

import { type JobOptions } from '@/jobs/context/platform';
import { finding } from '@/plan/findings/finding';
import { type Finding } from '@/plan/preflight';
import { type RecipeFile, type TaskRecord } from '@/recipe/recipe-file';
import { demoSources } from '@/jobs/demos/demo-sources';
import { hubSources } from './hub-sources';
import { localSources } from './local-sources';
import { type SourceRequest } from '@/protocol/requests';
import { type AnySources } from '@/jobs/group/sources';
import { compareSources } from '@/jobs/reopening/compare-sources';
import { requestOfLoneRecipe } from '@/jobs/reopening/lone-recipe';

/**
 * @throws PeruError when a zoo can not be fetched, or the files hold no group with a base
 */
export async function groupSources(
  request: SourceRequest,
  options: JobOptions,
): Promise<AnySources> {
  switch (request.kind) {
    case 'demo':
      return comparedWith(request.recipe, await demoSources(request.demo, options), options);
    case 'files': {
      const named = await requestOfLoneRecipe(request.files, options);
      return named === null ? localSources(request, options) : groupSources(named, options);
    }
    case 'hub':
      return comparedWith(request.recipe, await hubSources(request, options), options);
  }
}

/** Adds what sets the sources apart from those that a recipe was made from. */
async function comparedWith(
  recipe: RecipeFile | undefined,
  group: AnySources,
  options: JobOptions,
): Promise<AnySources> {
  if (recipe === undefined || group.kind === 'loras') return group;
  const tasks = new Map(group.tasks.map(({ name, model }) => [name, model] as const));
  const pairs = recipe.tasks.flatMap((record) => {
    const repo = tasks.get(record.task);
    return repo === undefined ? [] : [{ record, repo }];
  });
  const missing = recipe.tasks.filter(({ task }) => !tasks.has(task)).map(missingTask);
  const compared = await compareSources(
    [{ record: recipe.base, repo: group.base }, ...pairs],
    options,
  );
  // Nobody shall read that all agree where one was not looked at.
  const told = missing.length > 0 ? compared.filter(({ level }) => level !== 'ok') : compared;
  return { ...group, findings: [...(group.findings ?? []), ...missing, ...told] };
}

function missingTask({ task }: TaskRecord): Finding {
  return finding({
    level: 'warning',
    topic: 'sources',
    title: `The recipe has a task ${task}, which is not among those opened.`,
    detail:
      'Results will differ from the recipe’s: its files can not be made again from these sources.',
  });
}
