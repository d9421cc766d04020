/** Where a group's checkpoints and data sets come from, before anything large is read. */
import { type AdapterSource, baseOfAdapters } from '@/sources/adapter-source';
import {
  type CheckpointSource,
  type OpenOptions,
  openWeights,
  type RepoSource,
} from '@/sources/checkpoint-source';
import { groupLocalFiles } from '@/sources/local-files';
import { openTextZoo } from '@/sources/text-zoo';
import { openZoo } from '@/sources/zoo';
import { guessBase } from '@/plan/guess-base';
import { PeruError } from '@/tensor/errors';
import { type DemoName, type Metric, type SourceRequest } from './protocol';

/** Images of a test split, and prompts that its class names are put into. */
export interface ImageTest {
  readonly kind: 'image';
  readonly repo: RepoSource;
  readonly templates: readonly string[];
}

/** Rows of text, put into a prompt and answered in words. */
export interface TextTest {
  readonly kind: 'text';
  readonly repo: RepoSource;
  /** With `{column}` in the place of each column of a row. */
  readonly prompt: string;
  /** The right answer of each label; null where it is the label itself, with one decimal. */
  readonly answers: readonly string[] | null;
  readonly metric: Metric;
  /** Most tokens an answer may have, its end included. */
  readonly maxNewTokens: number;
}

export type Test = ImageTest | TextTest;

export interface TaskSource<Model> {
  /** Key in results and file names. */
  readonly name: string;
  readonly title: string;
  readonly model: Model;
  /** What the task is scored on; null when the files bring no data set. */
  readonly scoredOn: Test | null;
}

interface Sources<Kind, Model> {
  readonly kind: Kind;
  readonly title: string;
  readonly base: CheckpointSource;
  readonly tasks: readonly TaskSource<Model>[];
  /** λ chosen on validation data, or null. */
  readonly lambda: number | null;
}

export type FullSources = Sources<'full', CheckpointSource>;
export type AdapterSources = Sources<'adapters', AdapterSource>;
export type GroupSources = FullSources | AdapterSources;

/**
 * @throws PeruError when a zoo can not be fetched, or the files hold no group with a base
 */
export async function groupSources(
  request: SourceRequest,
  options: OpenOptions,
): Promise<GroupSources> {
  return request.kind === 'demo' ? DEMOS[request.demo](options) : fileSources(request, options);
}

const DEMOS: Readonly<Record<DemoName, (options: OpenOptions) => Promise<GroupSources>>> = {
  fft: fullDemo,
  lora: adapterDemo,
};

async function fullDemo(options: OpenOptions): Promise<FullSources> {
  const zoo = await openZoo({ ...options, baseUrl: new URL('zoo/', pageUrl()) });
  const tasks = zoo.tasks.map(({ name, title, model, dataset, templates }) => {
    return { name, title, model, scoredOn: { kind: 'image' as const, repo: dataset, templates } };
  });
  const title = 'Embedded zoo: a small CLIP, eight tasks';
  return { kind: 'full', title, base: zoo.base, tasks, lambda: zoo.lambda };
}

async function adapterDemo(options: OpenOptions): Promise<AdapterSources> {
  const zoo = await openTextZoo({ ...options, baseUrl: new URL('zoo/text/', pageUrl()) });
  const { maxNewTokens } = zoo;
  const tasks = zoo.tasks.map(({ name, title, adapter, dataset, prompt, answers, metric }) => {
    const scoredOn = {
      kind: 'text' as const,
      repo: dataset,
      prompt,
      answers,
      metric,
      maxNewTokens,
    };
    return { name, title, model: adapter, scoredOn };
  });
  const title = 'Embedded zoo: a small T5, eight LoRA adapters';
  return { kind: 'adapters', title, base: zoo.base, tasks, lambda: zoo.lambda };
}

/** The folder index.html lies in; a worker only knows where its own script is. */
function pageUrl(): URL {
  // The worker's script lies in assets/ of the built page, in src/ under the dev server.
  return new URL(import.meta.env.DEV ? '/' : '../', import.meta.url);
}

type FileRequest = Extract<SourceRequest, { kind: 'files' }>;

async function fileSources(request: FileRequest, options: OpenOptions): Promise<GroupSources> {
  const { checkpoints, adapters } = groupLocalFiles(request.files);
  const title = 'Your files';
  if (adapters.length > 0) {
    const base = baseOfAdapters(adapters, checkpoints, request.base);
    return { kind: 'adapters', title, base, tasks: localTasks(adapters), lambda: null };
  }
  const base = await chooseBase(checkpoints, request.base, options);
  const others = checkpoints.filter((checkpoint) => checkpoint !== base);
  return { kind: 'full', title, base, tasks: localTasks(others), lambda: null };
}

function localTasks<Model extends RepoSource>(models: readonly Model[]): TaskSource<Model>[] {
  return models.map((model) => ({ name: model.name, title: model.name, model, scoredOn: null }));
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
