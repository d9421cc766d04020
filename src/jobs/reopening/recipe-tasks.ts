/** What a recipe says of the tasks of an export: their names, and what scores them. */
import { fileStems } from '@/export/file-stems';
import { finding } from '@/plan/findings/finding';
import { type Finding } from '@/plan/preflight';
import { loadPart } from '@/core/load-part';
import { type HubClient } from '@/hub/hub-client';
import { presetOf } from '@/sources/presets';
import { type RecipeFile, type TaskRecord } from '@/recipe/recipe-file';
import { demoSources } from '@/jobs/demos/demo-sources';
import { type GroupSources } from '@/jobs/group/sources';
import { type JobOptions } from '@/jobs/context/platform';
import { presetTask } from '@/jobs/scoring/preset-tests';
import { type Test } from '@/jobs/scoring/tests';

/** A task by the name of its file or folder. */
export interface RecipeTask {
  readonly record: TaskRecord;
  /** Its file is `STEM.sparse.safetensors`, or its folder `STEM`. */
  readonly stem: string;
  readonly title: string;
  readonly scoredOn: Test | null;
}

export interface RecipeTasks {
  /** In the group's order. */
  readonly tasks: readonly RecipeTask[];
  /** The demo that the recipe was made from; null where it was not. */
  readonly demo: GroupSources | null;
}

/** The recipe's tasks without anything to score them on. */
export function namedTasks({ tasks }: RecipeFile): RecipeTask[] {
  const stems = fileStems(tasks.map(({ task }) => task));
  return tasks.map((record, i) => {
    return { record, stem: stems[i]!, title: record.task, scoredOn: null };
  });
}

/**
 * @param client to the Hub that the recipe names; null: one without a token is opened where it takes one
 * @throws PeruError when the demo's list of tasks can not be had
 */
export async function tasksOfRecipe(
  recipe: RecipeFile,
  client: HubClient | null,
  options: JobOptions,
): Promise<RecipeTasks> {
  const plain = namedTasks(recipe);
  const { group } = recipe;
  if (group.kind === 'demo') {
    const demo = await demoSources(group.demo, options);
    // LoRA files by themselves are no tasks of a model.
    if (demo.kind === 'loras') return { tasks: plain, demo: null };
    const byName = new Map(demo.tasks.map((task) => [task.name, task] as const));
    const tasks = plain.map((task) => {
      const known = byName.get(task.record.task);
      return known === undefined ? task : { ...task, title: known.title, scoredOn: known.scoredOn };
    });
    return { tasks, demo };
  }
  const preset = group.kind === 'hub' && group.preset !== undefined ? presetOf(group.preset) : null;
  if (preset === null || group.kind !== 'hub') return { tasks: plain, demo: null };
  const classesUrl = new URL('presets/', options.platform.siteUrl());
  const places = { client: client ?? (await openClient(group.hub, options)), classesUrl };
  const tasks = plain.map((task) => {
    const facts = presetTask(preset, task.record.repo ?? '', places);
    return facts === null ? task : { ...task, title: facts.title, scoredOn: facts.scoredOn };
  });
  return { tasks, demo: null };
}

async function openClient(
  hubUrl: string | undefined,
  { onPause, platform }: JobOptions,
): Promise<HubClient> {
  const { HubClient: Client } = await loadPart(() => import('@/hub/hub-client'));
  const cache = (await platform.openHubCache()) ?? undefined;
  return new Client({ hubUrl, cache, onPause });
}

/** Why the tasks of an export have no accuracy; none where they have. */
export function unscoredFindings(
  recipe: RecipeFile | null,
  tasks: readonly { readonly scoredOn: Test | null }[],
): Finding[] {
  if (recipe === null) {
    return [
      finding({
        level: 'note',
        topic: 'sources',
        title: 'Nothing says what the tasks are scored on: there is no recipe.json.',
        detail: 'Add recipe.json of the export beside its files to have accuracies again.',
      }),
    ];
  }
  if (tasks.some(({ scoredOn }) => scoredOn !== null)) return [];
  return [
    finding({
      level: 'note',
      topic: 'sources',
      title: 'The recipe names no test sets, so the tasks are not scored.',
      detail: 'Peru knows those of its demos and presets; this export was made from other sources.',
    }),
  ];
}
