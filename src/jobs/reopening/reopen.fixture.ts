/** Exports made in memory, and opened again, for tests. */
import { type Platform } from '@/jobs/context/platform';
import { DEFAULT_LORA } from '@/recipe/lora-choices';
import { testPlatform } from '@/jobs/context/test-platform.fixture';
import { f32, filled, type FixtureTensor, soundFile } from '@/tensor/safetensors.fixture';
import { MERGERS, SPARSE_METHODS } from '@/methods/registry';
import { NO_CHOICES } from '@/plan/preflight';
import { type ModelWeights } from '@/tensor/engine';
import { memoryStore } from '@/jobs/context/memory-store.fixture';
import { type Preflight } from '@/plan/preflight';
import { type JobEvent } from '@/protocol/events';
import { type SourceRequest } from '@/protocol/requests';
import { type ResultsFile } from '@/protocol/results-file';
import { type Recipe } from '@/recipe/recipe';
import { type FullGroup } from '@/jobs/full/load-full';
import { loadGroup } from '@/jobs/load-group.fixture';
import { createSession } from '@/jobs/session';
import { sparseWeights } from '@/jobs/full/scored-models';
import { selectOne } from '@/tensor/one-selection.fixture';

export type Files = Extract<SourceRequest, { kind: 'files' }>['files'];

export const RECIPE: Recipe = {
  mergeMethod: 'task-arithmetic',
  lambda: 0.5,
  keptPercent: 10,
  scope: 'global',
  compressors: SPARSE_METHODS,
  mergedDtype: null,
  valueDtype: 'F16',
  rescale: 'norm',
  rank: { by: 'count', q: 1 },
  lora: DEFAULT_LORA,
};

const RESULTS: ResultsFile = {
  peru: 1,
  adapter: { vendor: '', architecture: '', description: 'test', fallback: true },
  engine: 'reference',
  recipe: { mergeMethod: 'task-arithmetic', lambda: 0.5 },
  tasks: [],
  average: {},
  storage: [],
  seconds: {},
  memory: null,
};

const ROWS = 40;
const COLUMNS = 20;

function wave(seed: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233) * seed);
}

export function fileAt(path: string, content: BlobPart): Files[number] {
  return { path, file: new File([content], path.slice(path.lastIndexOf('/') + 1)) };
}

function model(name: string, tensors: Record<string, FixtureTensor>, tied = true): Files {
  const config = JSON.stringify({ model_type: 'tiny', tie_word_embeddings: tied });
  return [
    fileAt(`${name}/model.safetensors`, soundFile(tensors)),
    fileAt(`${name}/config.json`, config),
  ];
}

/** A tensor nobody changes, an integer buffer, a head that is the embedding; one task has a head. */
export function fullGroup(): Files {
  const tower = (seed: number): Record<string, FixtureTensor> => ({
    'b.weight': f32([ROWS, COLUMNS], wave(seed, ROWS * COLUMNS)),
    'a.weight': f32([30], wave(seed + 0.5, 30)),
    'model.embed_tokens.weight': f32([6, 5], wave(seed + 2, 30)),
  });
  return [
    ...model('base', {
      ids: filled('I64', [3], 24),
      ...tower(1),
      'text.weight': f32([7], wave(9, 7)),
      'lm_head.weight': tower(1)['model.embed_tokens.weight']!,
    }),
    ...model('Cars & more', { ...tower(1.2), 'classifier.weight': f32([2, 3], wave(5, 6)) }),
    ...model('pets', tower(0.9)),
  ];
}

/**
 * One task's vocabulary has grown, so that both tasks keep their embeddings whole. The head is the
 * embedding, which the base and one task have twice and the other once; or, untied, all have one.
 */
export function grownGroup(tied = true): Files {
  const tower = (seed: number, rows: number): Record<string, FixtureTensor> => ({
    'b.weight': f32([ROWS, COLUMNS], wave(seed, ROWS * COLUMNS)),
    'shared.weight': f32([rows, 5], wave(seed + 2, 5 * rows)),
  });
  const head = (seed: number, rows: number): Record<string, FixtureTensor> => {
    const own = f32([rows, 5], wave(seed + 3, 5 * rows));
    return { 'lm_head.weight': tied ? tower(seed, rows)['shared.weight']! : own };
  };
  return [
    ...model('base', { ...tower(1, 6), ...head(1, 6) }, tied),
    ...model('grown', { ...tower(1.2, 8), ...(tied ? {} : head(1.2, 8)) }, tied),
    ...model('pets', { ...tower(0.9, 6), ...head(0.9, 6) }, tied),
  ];
}

export const FULL_REQUEST: SourceRequest = {
  kind: 'files',
  files: fullGroup(),
  base: 'base/model.safetensors',
};

const OUT = 6;
const IN = 5;

function adapter(name: string, seed: number): Files {
  const key = 'base_model.model.layer.q';
  const tensors = {
    [`${key}.lora_A.weight`]: f32([2, IN], wave(seed, 2 * IN)),
    [`${key}.lora_B.weight`]: f32([OUT, 2], wave(seed + 0.3, 2 * OUT)),
  };
  const config = { peft_type: 'LORA', r: 2, lora_alpha: 4, target_modules: ['q'] };
  return [
    fileAt(`${name}/adapter_config.json`, JSON.stringify(config)),
    fileAt(`${name}/adapter_model.safetensors`, soundFile(tensors)),
  ];
}

export function adapterBase(seed = 1): Files {
  const tensors = { 'layer.q.weight': f32([OUT, IN], wave(seed, OUT * IN)) };
  return [fileAt('t5/model.safetensors', soundFile(tensors)), fileAt('t5/config.json', '{}')];
}

export function adapterGroup(): Files {
  return [...adapterBase(), ...adapter('lora/cola', 1.4), ...adapter('lora/rte', 2.1)];
}

/** Files of an export by their paths inside it. */
export type Exported = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/**
 * Opens, exports and gives the files.
 *
 * @param change of the platform: what computes, for one
 */
export async function exportOf(
  request: SourceRequest,
  recipe: Recipe,
  change: Partial<Platform> = {},
): Promise<Exported> {
  const store = memoryStore();
  const session = createSession({ ...testPlatform(store), ...change });
  const hear = (): undefined => undefined;
  const job = { recipe, results: RESULTS, link: null };
  for (const outcome of [
    await session.open(request, NO_CHOICES, hear),
    await session.load(hear),
    await session.export(job, hear),
  ]) {
    if (outcome.status !== 'done') throw new Error(JSON.stringify(outcome));
  }
  return new Map(store.files);
}

/** The files as a folder that is dropped. */
export function dropped(files: Exported, folder = 'out'): Files {
  return [...files].map(([path, bytes]) =>
    fileAt(folder === '' ? path : `${folder}/${path}`, bytes),
  );
}

/** Opens a request to its report, or fails with what the visitor is told. */
export async function preflightOf(request: SourceRequest): Promise<Preflight> {
  const events: JobEvent[] = [];
  const outcome = await createSession(testPlatform(memoryStore())).open(
    request,
    NO_CHOICES,
    (event) => {
      events.push(event);
    },
  );
  const told = events.find((event) => event.type === 'preflight');
  if (told === undefined) throw new Error(JSON.stringify(outcome));
  return told.preflight;
}

export async function loadFull(request: SourceRequest): Promise<FullGroup> {
  const { signal } = new AbortController();
  const group = await loadGroup({ request, emit: () => undefined, signal });
  if (group.kind !== 'full') throw new Error('Fine-tunes opened as adapters.');
  return group;
}

/**
 * Exports the fixture's group, opens the files again, and compares theta* and every task's model,
 * bit for bit, with what the same recipe is scored with.
 */
export async function roundTrip(recipe: Recipe) {
  const files = await exportOf(FULL_REQUEST, recipe);
  const scored = await scoredModels(recipe);
  const group = await loadFull({ kind: 'files', files: dropped(files) });
  const reopened = new Map<string, ModelWeights>();
  reopened.set('merged', await group.weights.materialize({ kind: 'base' }, 'cpu'));
  for (const { index: task, name } of group.tasks) {
    reopened.set(name, await group.weights.materialize({ kind: 'task', task }, 'cpu'));
  }
  const differing: string[] = [];
  let compared = 0;
  for (const [name, { tensors }] of scored) {
    for (const [tensor, { data }] of tensors) {
      const now = reopened.get(name)?.tensors.get(tensor)?.data;
      if (!sameBits(data, now)) differing.push(`${name} ${tensor}`);
      compared += 1;
    }
  }
  const engine = group.engine.kind;
  group.dispose();
  return { differing, compared, engine };
}

/** theta*, and by task the model that PERU-FFT is scored with. */
async function scoredModels(recipe: Recipe): Promise<Map<string, ModelWeights>> {
  const group = await loadFull(FULL_REQUEST);
  const { weights, tasks, mergedDtype } = group;
  const { mergeMethod, lambda, keptPercent, scope } = recipe;
  const job = { group, recipe, signal: new AbortController().signal, emit: () => undefined };
  const plan = MERGERS[mergeMethod].plan(tasks.length, lambda);
  await weights.merge(plan, recipe.mergedDtype ?? mergedDtype);
  const models = new Map<string, ModelWeights>();
  models.set('merged', await weights.materialize({ kind: 'merged' }, 'cpu'));
  for (const { index, name } of tasks) {
    const selection = await selectOne(weights, 'merged', index, scope, keptPercent);
    const of = await sparseWeights(job, 'peru-fft', selection, keptPercent);
    models.set(name, await weights.materialize(of, 'cpu'));
  }
  group.dispose();
  return models;
}

function sameBits(a: unknown, b: unknown): boolean {
  if (!(a instanceof Float32Array && b instanceof Float32Array)) return false;
  const [one, other] = [a, b].map((data) => {
    return new Uint32Array(data.buffer, data.byteOffset, data.length);
  });
  return one!.length === other!.length && one!.every((bits, i) => bits === other![i]);
}
