/** Where a group's checkpoints and data sets come from, before anything large is read. */
import {
  type CheckpointSource,
  type OpenOptions,
  type RepoSource,
} from '@/sources/checkpoint-source';
import { groupLocalFiles } from '@/sources/local-files';
import { openWeights } from '@/sources/checkpoint-source';
import { openZoo } from '@/sources/zoo';
import { guessBase } from '@/plan/guess-base';
import { PeruError } from '@/tensor/errors';
import { type SourceRequest } from './protocol';

export interface TaskSource {
  /** Key in results and file names. */
  readonly name: string;
  readonly title: string;
  readonly model: CheckpointSource;
  /** What the task is scored on; null when the files bring no data set. */
  readonly scoredOn: { readonly repo: RepoSource; readonly templates: readonly string[] } | null;
}

export interface GroupSources {
  readonly title: string;
  readonly base: CheckpointSource;
  readonly tasks: readonly TaskSource[];
  /** λ chosen on validation data, or null. */
  readonly lambda: number | null;
}

/**
 * @throws PeruError when the zoo can not be fetched, or the files hold no group with a base
 */
export async function groupSources(
  request: SourceRequest,
  options: OpenOptions,
): Promise<GroupSources> {
  return request.kind === 'demo' ? demoSources(options) : fileSources(request, options);
}

async function demoSources(options: OpenOptions): Promise<GroupSources> {
  // The worker's script lies in assets/ of the built page, in src/ under the dev server.
  const zoo = await openZoo({ ...options, baseUrl: new URL('zoo/', pageUrl()) });
  const tasks = zoo.tasks.map(({ name, title, model, dataset, templates }) => {
    return { name, title, model, scoredOn: { repo: dataset, templates } };
  });
  return {
    title: 'Embedded zoo: a small CLIP, eight tasks',
    base: zoo.base,
    tasks,
    lambda: zoo.lambda,
  };
}

/** The folder index.html lies in; a worker only knows where its own script is. */
function pageUrl(): URL {
  return new URL(import.meta.env.DEV ? '/' : '../', import.meta.url);
}

async function fileSources(
  request: Extract<SourceRequest, { kind: 'files' }>,
  options: OpenOptions,
): Promise<GroupSources> {
  const { checkpoints } = groupLocalFiles(request.files);
  const base = await chooseBase(checkpoints, request.base, options);
  const tasks = checkpoints
    .filter((checkpoint) => checkpoint !== base)
    .map((model) => ({ name: model.name, title: model.name, model, scoredOn: null }));
  return { title: 'Your files', base, tasks, lambda: null };
}

async function chooseBase(
  checkpoints: readonly CheckpointSource[],
  chosenId: string | undefined,
  options: OpenOptions,
): Promise<CheckpointSource> {
  const chosen = checkpoints.find(({ id }) => id === chosenId);
  if (chosen !== undefined) return chosen;
  const weights = await Promise.all(checkpoints.map((one) => openWeights(one, options)));
  const guess = guessBase(weights);
  if (guess.kind === 'base') return checkpoints[guess.index]!;
  const choices = guess.candidates.map((index) => checkpoints[index]!);
  throw new PeruError(
    'choose-base',
    `Which checkpoint is the base can not be told from their tensors: ${choices.map(({ name }) => name).join(', ')} hold the same names.`,
    'Choose the model that the others were fine-tuned from.',
    { choices: choices.map(({ id, name }) => ({ id, name })) },
  );
}
