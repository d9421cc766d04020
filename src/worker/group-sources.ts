/** Where a group's checkpoints and data sets come from, before anything large is read. */
import { type AdapterSource, baseOfAdapters } from '@/sources/adapter-source';
import {
  type CheckpointSource,
  type OpenOptions,
  openWeights,
  type RepoSource,
} from '@/sources/checkpoint-source';
import { loadPart } from '@/sources/hub/load-part';
import { groupLocalFiles } from '@/sources/local-files';
import { presetOf } from '@/sources/presets';
import { openTextZoo } from '@/sources/text-zoo';
import { openZoo } from '@/sources/zoo';
import { type HubDoor } from '@/sources/hub/hub-door';
import { guessBase } from '@/plan/guess-base';
import { PeruError } from '@/tensor/errors';
import { openHubCache } from './hub-cache';
import { type DemoName, type SourceRequest } from './protocol';
import { presetTask } from './scoring/preset-tests';
import { repoImages, repoTexts } from './scoring/repo-tests';
import { type ImageTest, type Test, type TextTest } from './scoring/tests';

export type { ImageTest, Test, TextTest };

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
    case 'files': {
      const about = { title: 'Your files', lambda: null, taskOf: unscoredTask };
      return groupOf(groupLocalFiles(request.files), about, request.base, options);
    }
    case 'hub':
      return hubGroup(request, options);
  }
}

const DEMOS: Readonly<Record<DemoName, (options: OpenOptions) => Promise<GroupSources>>> = {
  fft: fullDemo,
  lora: adapterDemo,
};

async function fullDemo(options: OpenOptions): Promise<FullSources> {
  const zoo = await openZoo({ ...options, baseUrl: new URL('zoo/', pageUrl()) });
  const tasks = zoo.tasks.map(({ name, title, model, dataset, templates }) => {
    return { name, title, model, scoredOn: repoImages(dataset, templates) };
  });
  const title = 'Embedded zoo: a small CLIP, eight tasks';
  return { kind: 'full', title, base: zoo.base, tasks, lambda: zoo.lambda };
}

async function adapterDemo(options: OpenOptions): Promise<AdapterSources> {
  const zoo = await openTextZoo({ ...options, baseUrl: new URL('zoo/text/', pageUrl()) });
  const { maxNewTokens } = zoo;
  const tasks = zoo.tasks.map(({ name, title, adapter, dataset, prompt, answers, metric }) => {
    const scoredOn = repoTexts(dataset, { prompt, answers, metric, maxNewTokens });
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

type HubRequest = Extract<SourceRequest, { kind: 'hub' }>;

async function hubGroup(request: HubRequest, options: OpenOptions): Promise<GroupSources> {
  const { repos, hubUrl, accessToken } = request;
  const [{ HubDoor }, { openHubGroup }] = await loadPart(() =>
    Promise.all([import('@/sources/hub/hub-door'), import('@/sources/hub/hub-repo')]),
  );
  const cache = (await openHubCache()) ?? undefined;
  const door = new HubDoor({ hubUrl, accessToken, cache });
  const found = await openHubGroup(repos, door, options);
  const places = new Map<RepoSource, string>();
  for (const model of [...found.checkpoints, ...found.adapters]) {
    places.set(model, model.hub.repo);
  }
  const about = aboutHub(request.preset, door, places);
  return groupOf(found, about, idOfBase(request, found.ids), options);
}

/** A preset names the tasks that are its own; others stay what their repos are called. */
function aboutHub(
  presetId: string | undefined,
  door: HubDoor,
  repoOf: ReadonlyMap<RepoSource, string>,
): AboutGroup {
  const preset = presetId === undefined ? null : presetOf(presetId);
  const plain = { title: 'From the Hub', lambda: null, taskOf: unscoredTask };
  if (preset === null) return plain;
  const places = { door, classesUrl: new URL('presets/', pageUrl()) };
  const given = new Set<string>();
  const taskOf: AboutGroup['taskOf'] = (model) => {
    const facts = presetTask(preset, repoOf.get(model) ?? '', places);
    // Two revisions of one repo are two tasks, and only one can have the name.
    if (facts !== null && !given.has(facts.name)) {
      given.add(facts.name);
      return facts;
    }
    const plainTask = unscoredTask(model);
    const isTaken = preset.tasks.some(({ name }) => name === plainTask.name);
    return isTaken ? { ...plainTask, name: model.folder, title: model.folder } : plainTask;
  };
  return { title: preset.title, lambda: preset.lambda, taskOf };
}

/** The base may be named by what was opened, or by the reference that opened it. */
function idOfBase({ repos, base }: HubRequest, ids: readonly string[]): string | undefined {
  return base === undefined ? undefined : (ids[repos.indexOf(base)] ?? base);
}

/** What a group and its tasks are called, and what scores them. */
interface AboutGroup {
  readonly title: string;
  readonly lambda: number | null;
  readonly taskOf: (model: RepoSource) => Omit<TaskSource<never>, 'model'>;
}

/** Adapters and their base, or full checkpoints of which one is the base. */
async function groupOf(
  { checkpoints, adapters }: Found,
  { title, lambda, taskOf }: AboutGroup,
  chosenBase: string | undefined,
  options: OpenOptions,
): Promise<GroupSources> {
  if (adapters.length > 0) {
    const base = baseOfAdapters(adapters, checkpoints, chosenBase);
    const tasks = adapters.map((model) => ({ ...taskOf(model), model }));
    return { kind: 'adapters', title, base, tasks, lambda };
  }
  const base = await chooseBase(checkpoints, chosenBase, options);
  const others = checkpoints.filter((checkpoint) => checkpoint !== base);
  const tasks = others.map((model) => ({ ...taskOf(model), model }));
  return { kind: 'full', title, base, tasks, lambda };
}

function unscoredTask({ name }: RepoSource): Omit<TaskSource<never>, 'model'> {
  return { name, title: name, scoredOn: null };
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
