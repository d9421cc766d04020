/** A small group of fine-tunes that is exported on the processor engine, into memory. */
import { SPARSE_METHODS } from '@/methods/registry';
import { DEFAULT_LORA } from '@/recipe/lora-choices';
import { testPlatform } from '@/jobs/context/test-platform.fixture';
import { expect } from 'vitest';
import { readSafetensorsHeader, readTensorBytes } from '@/tensor/safetensors';
import { f32, filled, type FixtureTensor, soundFile } from '@/tensor/safetensors.fixture';
import { NO_CHOICES } from '@/plan/preflight';
import { type JobEvent, type JobOutcome } from '@/protocol/events';
import { type ExportFacts } from '@/protocol/export-facts';
import { type PeruWorker } from '@/protocol/peru-worker';
import { type ExportRequest, type SourceRequest } from '@/protocol/requests';
import { type ResultsFile } from '@/protocol/results-file';
import { type Recipe } from '@/recipe/recipe';
import { createSession } from '@/jobs/session';
import {
  type MemoryDisk,
  type MemoryStore,
  memoryStore,
} from '@/jobs/context/memory-store.fixture';

export const RECIPE: Recipe = {
  mergeMethod: 'task-arithmetic',
  lambda: 0.5,
  keptPercent: 10,
  scope: 'global',
  compressors: SPARSE_METHODS,
  mergedDtype: null,
  valueDtype: 'F32',
  rescale: 'norm',
  rank: { by: 'count', q: 8 },
  lora: DEFAULT_LORA,
};
const RESULTS: ResultsFile = {
  peru: 1,
  adapter: { vendor: '', architecture: '', description: 'test', fallback: true },
  engine: 'processor',
  recipe: { mergeMethod: 'task-arithmetic', lambda: 0.5 },
  tasks: [],
  average: {},
  storage: [],
  seconds: { merge: 1 },
  memory: null,
};
const ROWS = 40;
const COLUMNS = 20;
export const SIZE = ROWS * COLUMNS;

/** What the latest test works on. */
export const bench: { session: PeruWorker; store: MemoryStore; events: JobEvent[] } = {
  session: createSession(testPlatform(memoryStore())),
  store: memoryStore(),
  events: [],
};

export const hear = (event: JobEvent): void => {
  bench.events.push(event);
};

export function wave(seed: number, count = SIZE): number[] {
  return Array.from({ length: count }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233) * seed);
}

export type Files = Extract<SourceRequest, { kind: 'files' }>['files'];

export function model(name: string, tensors: Record<string, FixtureTensor>): Files {
  const file = (path: string, content: BlobPart) => {
    return { path: `${name}/${path}`, file: new File([content], path) };
  };
  return [
    file('model.safetensors', soundFile(tensors)),
    file('config.json', JSON.stringify({ model_type: 'tiny', tie_word_embeddings: false })),
    file('README.md', '---\nlicense: mit\n---\n'),
  ];
}

/** A base with a tensor that nobody changes, an integer buffer, and a tied copy; one task has a head. */
export function group(): Files {
  const tower = (seed: number) => ({
    'b.weight': f32([ROWS, COLUMNS], wave(seed)),
    'a.weight': f32([30], wave(seed + 0.5, 30)),
  });
  const embedding = f32([4, 5], wave(3, 20));
  return [
    ...model('base', {
      ids: filled('I64', [3], 24),
      ...tower(1),
      'text.weight': f32([7], wave(9, 7)),
      'lm_head.weight': embedding,
    }),
    { path: 'base/tokenizer.json', file: new File(['{"a":1}'], 'tokenizer.json') },
    { path: 'base/LICENSE', file: new File(['MIT'], 'LICENSE') },
    { path: 'base/notes.txt', file: new File(['no'], 'notes.txt') },
    ...model('Cars & more', { ...tower(1.2), 'head.weight': f32([2, 3], wave(5, 6)) }),
    ...model('pets', tower(0.9)),
  ];
}

export async function exportGroup(
  recipe: Recipe = RECIPE,
  disk: MemoryDisk = {},
  { files = group(), choices = NO_CHOICES, allowNonFinite = false } = {},
): Promise<JobOutcome> {
  bench.store = memoryStore(disk);
  bench.session = createSession(testPlatform(bench.store));
  const base = 'base/model.safetensors';
  const request: SourceRequest = { kind: 'files', files, base, allowNonFinite };
  expect(await bench.session.open(request, choices, hear)).toEqual({ status: 'done' });
  expect(await bench.session.load(hear)).toEqual({ status: 'done' });
  return bench.session.export(requestOf(recipe), hear);
}

export function requestOf(recipe: Recipe): ExportRequest {
  return { recipe, results: RESULTS, link: null };
}

export function exported(): ExportFacts {
  const facts = bench.events.findLast((event) => event.type === 'exported');
  if (facts === undefined) throw new Error('Nothing was exported.');
  return facts.facts;
}

export function stored(path: string): Uint8Array<ArrayBuffer> {
  const bytes = bench.store.files.get(path);
  if (bytes === undefined) throw new Error(`There is no ${path}.`);
  return bytes;
}

export async function tensorsOf(path: string) {
  const blob = new Blob([stored(path)]);
  const header = await readSafetensorsHeader(blob, path);
  const floats = async (name: string): Promise<number[]> => {
    return [...new Float32Array((await readTensorBytes(blob, header, name)).buffer)];
  };
  return { header, floats };
}
