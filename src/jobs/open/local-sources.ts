/** Groups of files of the visitor's disk: checkpoints, what Peru exported, a recipe beside its sources. */
import { type JobOptions } from '@/jobs/context/platform';
import { type AdapterSource } from '@/formats/lora/lora-adapter';
import { type RepoSource } from '@/formats/checkpoint/checkpoint-source';
import { groupLocalFiles, type LocalGroup } from '@/sources/local-files';
import { PeruError } from '@/core/errors';
import { compareNames } from '@/core/name-order';
import { type RecipeFile } from '@/recipe/recipe-file';
import { finding, listed } from '@/plan/findings/finding';
import { type Finding } from '@/plan/preflight';
import { groupOf, unscoredTask } from './assemble-group';
import { partFindings } from './model-parts';
import { type AnySources } from '@/jobs/group/sources';
import { type SourceRequest } from '@/protocol/requests';
import { matchSources } from '@/jobs/reopening/match-sources';
import { recipeOf } from '@/sources/recipe-of';
import { tasksOfRecipe } from '@/jobs/reopening/recipe-tasks';
import { reopenAdapters } from '@/jobs/reopening/reopen-adapters';
import { reopenFull } from '@/jobs/reopening/reopen-full';

type LocalRequest = Extract<SourceRequest, { kind: 'files' }>;

/**
 * Tasks are in the order of their names, whatever order the disk and the visitor gave the files:
 * the same files give the same sums. A recipe among them decides on the order of its own tasks.
 *
 * @throws PeruError when the files hold no group with a base, or parts of several exports
 */
export async function localSources(
  { files, base }: LocalRequest,
  options: JobOptions,
): Promise<AnySources> {
  const found = inNameOrder(groupLocalFiles(files));
  const [exported, another] = found.exports;
  if (exported !== undefined) {
    const others = [...found.checkpoints, ...found.adapters];
    const beside = another?.repo ?? others[0];
    if (beside !== undefined) throw notAlone(exported.repo, beside);
    return reopenFull(exported, null, options);
  }
  const about = { title: 'Your files', lambda: null, taskOf: unscoredTask };
  const told = await recipeAmong(found, options);
  const group = await (told === null
    ? groupOf(found, about, base, options)
    : byRecipe(told, found, base, options));
  const findings = [...partFindings(found.parts), ...addedAgain(files)];
  return { ...group, findings: [...(group.findings ?? []), ...findings] };
}

/** Weights that may be files added before: in a folder of their own, but of one name, size and date. */
function addedAgain(files: LocalRequest['files']): Finding[] {
  const known = new Map<string, string>();
  const again: string[] = [];
  for (const { path, file } of files.filter((one) => one.path.endsWith('.safetensors'))) {
    const key = JSON.stringify([path.replace(/^added-\d+\//, ''), file.size, file.lastModified]);
    const before = known.get(key);
    if (before === undefined) known.set(key, path);
    else again.push(`${path} and ${before}`);
  }
  if (again.length === 0) return [];
  return [
    finding({
      level: 'note',
      topic: 'sources',
      title: `${listed(again)} have one name, size and date.`,
      detail: 'Each is taken for a file of its own. Remove one if you added the same file twice.',
    }),
  ];
}

function inNameOrder(found: LocalGroup): LocalGroup {
  const sorted = <Model extends RepoSource>(models: readonly Model[]): Model[] =>
    [...models].sort((one, other) => compareNames(one.name, other.name));
  return { ...found, checkpoints: sorted(found.checkpoints), adapters: sorted(found.adapters) };
}

interface LocalRecipe {
  /** The folder it lies in. */
  readonly repo: RepoSource;
  readonly recipe: RecipeFile;
}

/** @throws PeruError where there are several */
async function recipeAmong(
  { recipes }: LocalGroup,
  options: JobOptions,
): Promise<LocalRecipe | null> {
  const read = await Promise.all(
    recipes.map(async (repo) => ({ repo, recipe: await recipeOf(repo, options) })),
  );
  const found = read.filter((one): one is LocalRecipe => one.recipe !== null);
  const [first, second] = found;
  if (first !== undefined && second !== undefined) throw notAlone(first.repo, second.repo);
  return first ?? null;
}

/** Sources that a recipe was made from, by their content; or else the adapters it was exported with. */
async function byRecipe(
  { recipe, repo: folder }: LocalRecipe,
  found: LocalGroup,
  chosen: string | undefined,
  options: JobOptions,
): Promise<AnySources> {
  const { checkpoints, adapters } = found;
  const matched = await matchSources<RepoSource>(recipe, [...checkpoints, ...adapters], options);
  const exported = adapters.filter((adapter) => isRightBelow(adapter, folder));
  if (matched.tasks.size === 0 && exported.length > 0 && recipe.compress.method === 'peru-lora') {
    const stranger = adapters.find((adapter) => !exported.includes(adapter));
    if (stranger !== undefined) throw notAlone(folder, stranger);
    const places = { checkpoints, chosen, client: null };
    return reopenAdapters({ recipe, adapters: exported }, places, options);
  }
  const { tasks } = await tasksOfRecipe(recipe, null, options);
  const keys = new Map([...matched.tasks].map(([task, model]) => [model, task] as const));
  const taskOf = (model: RepoSource): ReturnType<typeof unscoredTask> => {
    const known = tasks.find(({ record }) => record.task === keys.get(model));
    if (known === undefined) return unscoredTask(model);
    return { name: known.record.task, title: known.title, scoredOn: known.scoredOn };
  };
  const places = [...matched.tasks.values()];
  const place = (model: RepoSource): number => {
    const index = places.indexOf(model);
    return index < 0 ? places.length : index;
  };
  const inOrder = <Model extends RepoSource>(models: readonly Model[]): Model[] =>
    [...models].sort((a, b) => place(a) - place(b));
  const about = { title: recipe.title, lambda: recipe.merge.lambda ?? null, taskOf };
  const models = { checkpoints: inOrder(checkpoints), adapters: inOrder(adapters) };
  const group = await groupOf(models, about, chosen ?? matched.base?.id, options);
  return { ...group, findings: [...(group.findings ?? []), ...matched.findings] };
}

function isRightBelow({ folder }: AdapterSource, { folder: outer }: RepoSource): boolean {
  const above = folder.slice(0, Math.max(0, folder.lastIndexOf('/')));
  return folder !== outer && above === outer;
}

function notAlone(one: RepoSource, other: RepoSource): PeruError {
  const named = ({ folder, name }: RepoSource): string => (folder === '' ? name : folder);
  return new PeruError(
    'mismatch',
    `${named(one)} is an export of Peru's and a group by itself; ${named(other)} was added beside it.`,
    'Remove one of the two: an export opens alone, with all its files in one folder.',
  );
}
