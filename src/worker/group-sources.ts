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
import { openHubCache } from './hub-cache';
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
  switch (request.kind) {
    case 'demo':
      return DEMOS[request.demo](options);
    case 'files':
      return groupOf('Your files', groupLocalFiles(request.files), request.base, options);
    case 'hub': {
      const found = await openHub(request, options);
      return groupOf('From the Hub', found, idOfBase(request, found.ids), options);
    }
  }
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

/** What was found among files or repos: full checkpoints, adapters, or both. */
interface Found {
  readonly checkpoints: readonly CheckpointSource[];
  readonly adapters: readonly AdapterSource[];
}

async function openHub(
  { repos, hubUrl, accessToken }: Extract<SourceRequest, { kind: 'hub' }>,
  options: OpenOptions,
): Promise<Found & { readonly ids: readonly string[] }> {
  const [{ HubDoor }, { openHubGroup }] = await Promise.all([
    import('@/sources/hub/hub-door'),
    import('@/sources/hub/hub-repo'),
  ]);
  const cache = (await openHubCache()) ?? undefined;
  const door = new HubDoor({ hubUrl, accessToken, cache });
  return openHubGroup(repos, door, options);
}

/** The base may be named by what was opened, or by the reference that opened it. */
function idOfBase(
  { repos, base }: Extract<SourceRequest, { kind: 'hub' }>,
  ids: readonly string[],
): string | undefined {
  return base === undefined ? undefined : (ids[repos.indexOf(base)] ?? base);
}

/** Adapters and their base, or full checkpoints of which one is the base. */
async function groupOf(
  title: string,
  { checkpoints, adapters }: Found,
  chosenBase: string | undefined,
  options: OpenOptions,
): Promise<GroupSources> {
  if (adapters.length > 0) {
    const base = baseOfAdapters(adapters, checkpoints, chosenBase);
    return { kind: 'adapters', title, base, tasks: unscoredTasks(adapters), lambda: null };
  }
  const base = await chooseBase(checkpoints, chosenBase, options);
  const others = checkpoints.filter((checkpoint) => checkpoint !== base);
  return { kind: 'full', title, base, tasks: unscoredTasks(others), lambda: null };
}

function unscoredTasks<Model extends RepoSource>(models: readonly Model[]): TaskSource<Model>[] {
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
