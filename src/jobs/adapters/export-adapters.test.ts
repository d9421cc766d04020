/** Whole exports of adapters on the processor engine: what stands in the files. */
import { SPARSE_METHODS } from '@/methods/registry';
import { DEFAULT_LORA } from '@/recipe/lora-choices';
import { testPlatform } from '@/jobs/context/test-platform.fixture';
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { NO_CHOICES } from '@/plan/preflight';
import { readSafetensorsHeader, readTensorBytes } from '@/tensor/safetensors';
import { f32, soundFile } from '@/tensor/safetensors.fixture';
import { type JobEvent } from '@/protocol/events';
import { type ExportFacts } from '@/protocol/export-facts';
import { type PeruWorker } from '@/protocol/peru-worker';
import { type SourceRequest } from '@/protocol/requests';
import { type ResultsFile } from '@/protocol/results-file';
import { type Recipe } from '@/recipe/recipe';
import { createSession } from '@/jobs/session';
import {
  type MemoryDisk,
  type MemoryStore,
  memoryStore,
} from '@/jobs/context/memory-store.fixture';

const OUT = 6;
const IN = 5;
const RANK = 3;
const ALPHA = 6;
const RECIPE: Recipe = {
  mergeMethod: 'task-arithmetic',
  lambda: 0.5,
  keptPercent: 10,
  scope: 'global',
  compressors: SPARSE_METHODS,
  mergedDtype: null,
  valueDtype: 'F16',
  rescale: 'norm',
  rank: { by: 'count', q: RANK },
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
  seconds: {},
  memory: null,
};

type Files = Extract<SourceRequest, { kind: 'files' }>['files'];

let session: PeruWorker;
let store: MemoryStore;
let events: JobEvent[];
const hear = (event: JobEvent): void => {
  events.push(event);
};

function wave(seed: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.sin(seed * 12.9898 + i * 78.233));
}

const MODULES = ['layer.q', 'layer.v'];
const BIAS = wave(77, OUT);

function weightA(task: number, module: string): number[] {
  return wave(10 * task + module.length + module.charCodeAt(6), RANK * IN);
}

function weightB(task: number, module: string): number[] {
  return wave(100 * task + module.charCodeAt(6), OUT * RANK);
}

/** scale * B A of a task's module, in float64. */
function delta(task: number, module: string): number[] {
  const [a, b] = [weightA(task, module), weightB(task, module)].map((one) => one.map(Math.fround));
  return Array.from({ length: OUT * IN }, (_, i) => {
    const [row, column] = [Math.floor(i / IN), i % IN];
    let sum = 0;
    for (let k = 0; k < RANK; k++) sum += b![row * RANK + k]! * a![k * IN + column]!;
    return (ALPHA / RANK) * sum;
  });
}

function adapter(name: string, task: number): Files {
  const tensors = Object.fromEntries(
    MODULES.flatMap((module) => [
      [`base_model.model.${module}.lora_A.weight`, f32([RANK, IN], weightA(task, module))],
      [`base_model.model.${module}.lora_B.weight`, f32([OUT, RANK], weightB(task, module))],
    ]),
  );
  const bias = task === 1 ? { 'base_model.model.layer.q.bias': f32([OUT], BIAS) } : {};
  const config = {
    peft_type: 'LORA',
    task_type: 'SEQ_2_SEQ_LM',
    r: RANK,
    lora_alpha: ALPHA,
    target_modules: ['q', 'v'],
    bias: task === 1 ? 'lora_only' : 'none',
  };
  const file = (path: string, content: BlobPart) => {
    return { path: `${name}/${path}`, file: new File([content], path) };
  };
  return [
    file('adapter_config.json', JSON.stringify(config)),
    file('adapter_model.safetensors', soundFile({ ...tensors, ...bias })),
  ];
}

function baseFile(): Files[number] {
  const weights = soundFile({
    'layer.q.weight': f32([OUT, IN], wave(1, OUT * IN)),
    'layer.q.bias': f32([OUT], wave(2, OUT)),
    'layer.v.weight': f32([OUT, IN], wave(3, OUT * IN)),
  });
  return { path: 'base.safetensors', file: new File([weights], 'base.safetensors') };
}

async function loadGroup(names: readonly string[], disk: MemoryDisk = {}): Promise<void> {
  store = memoryStore(disk);
  session = createSession(testPlatform(store));
  const files = [baseFile(), ...names.flatMap((name, task) => adapter(name, task))];
  expect(await session.open({ kind: 'files', files }, NO_CHOICES, hear)).toEqual({
    status: 'done',
  });
  expect(await session.load(hear)).toEqual({ status: 'done' });
}

async function exportGroup(recipe: Recipe = RECIPE, names = ['first', 'second/part']) {
  await loadGroup(names);
  expect(await session.export({ recipe, results: RESULTS, link: null }, hear)).toEqual({
    status: 'done',
  });
}

function exported(): ExportFacts {
  const facts = events.findLast((event) => event.type === 'exported');
  if (facts === undefined) throw new Error('Nothing was exported.');
  return facts.facts;
}

function storedText(path: string): string {
  return new TextDecoder().decode(store.files.get(path));
}

/** B A as the written adapter has it: its scale is 1. */
async function writtenDelta(folder: string, module: string): Promise<number[]> {
  const config = JSON.parse(storedText(`${folder}/adapter_config.json`)) as Record<string, unknown>;
  expect(config['lora_alpha']).toBe(config['r']);
  const path = `${folder}/adapter_model.safetensors`;
  const blob = new Blob([store.files.get(path)!]);
  const header = await readSafetensorsHeader(blob, path);
  const floats = async (side: string) => {
    const name = `base_model.model.${module}.lora_${side}.weight`;
    return new Float32Array((await readTensorBytes(blob, header, name)).buffer);
  };
  const [a, b] = [await floats('A'), await floats('B')];
  const rank = a.length / IN;
  return Array.from({ length: OUT * IN }, (_, i) => {
    const [row, column] = [Math.floor(i / IN), i % IN];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += b[row * rank + k]! * a[k * IN + column]!;
    return sum;
  });
}

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 5);
}

beforeEach(() => {
  events = [];
});

describe('an export of adapters', () => {
  it('holds a folder a task, the merged adapter, and what tells of them', async () => {
    await exportGroup();
    const { files, index } = exported();
    expect(files.map(({ path, kind }) => [path, kind])).toEqual([
      ['first/adapter_config.json', 'adapter'],
      ['first/adapter_model.safetensors', 'adapter'],
      ['part/adapter_config.json', 'adapter'],
      ['part/adapter_model.safetensors', 'adapter'],
      ['merged/adapter_config.json', 'adapter'],
      ['merged/adapter_model.safetensors', 'adapter'],
      ['recipe.json', 'about'],
      ['results.json', 'about'],
      ['README.md', 'about'],
    ]);
    expect(index).toEqual([]);
    for (const { path, sha256, bytes } of files) {
      const content = store.files.get(path)!;
      expect([bytes, sha256]).toEqual([
        content.length,
        createHash('sha256').update(content).digest('hex'),
      ]);
    }
    const config = JSON.parse(storedText('merged/adapter_config.json')) as Record<string, unknown>;
    expect(config['task_type']).toBe('SEQ_2_SEQ_LM');
  });

  it('at full rank is the adapters themselves, and their weighted sum', async () => {
    await exportGroup();
    for (const module of MODULES) {
      const [first, second] = [delta(0, module), delta(1, module)];
      expectClose(await writtenDelta('first', module), first);
      expectClose(await writtenDelta('part', module), second);
      expectClose(
        await writtenDelta('merged', module),
        first.map((value, i) => 0.5 * value + 0.5 * second[i]!),
      );
    }
  });

  it('brings copies along as they were, and merged with the base’s', async () => {
    await exportGroup();
    const biasOf = async (folder: string) => {
      const path = `${folder}/adapter_model.safetensors`;
      const blob = new Blob([store.files.get(path)!]);
      const header = await readSafetensorsHeader(blob, path);
      const name = [...header.tensors.keys()].find((key) => key.endsWith('.bias'));
      if (name === undefined) return null;
      return [...new Float32Array((await readTensorBytes(blob, header, name)).buffer)];
    };
    expect(await biasOf('first')).toBeNull();
    expect(await biasOf('part')).toEqual(BIAS.map(Math.fround));
    const merged = wave(2, OUT).map((value, i) => value + 0.5 * (BIAS[i]! - value));
    expectClose((await biasOf('merged'))!, merged);
  });

  it.each([
    { by: 'count', q: 2 },
    { by: 'energy', percent: 90 },
    { by: 'bytes', budget: 250 },
  ] as const)('has the sizes that the Storage table tells, ranks by $by', async (rank) => {
    const recipe = { ...RECIPE, rank };
    await exportGroup(recipe);
    const sizes = new Map(exported().files.map(({ path, bytes }) => [path, bytes] as const));
    await session.run(recipe, hear);
    const { rows } = events.findLast((event) => event.type === 'storage')!;
    const row = rows.find(({ method }) => method.startsWith('peru-lora@'))!;
    const merged = rows.find(({ method }) => method === 'merged')!;
    // Each row counts the base, too, which is named and not copied.
    const files = [...row.files.slice(1), ...merged.files.slice(1)];
    expect(files).toHaveLength(6);
    for (const { name, bytes } of files) expect([name, bytes]).toEqual([name, sizes.get(name)]);
  });

  it('is refused where it has no room before the sources are hashed', async () => {
    await loadGroup(['first', 'second/part'], { toldBytes: 100 });
    const outcome = await session.export({ recipe: RECIPE, results: RESULTS, link: null }, hear);
    expect(outcome).toMatchObject({ status: 'failed', error: { kind: 'out-of-disk' } });
    const told = events.flatMap((event) => (event.type === 'progress' ? event.progress.stage : []));
    expect(told.filter((stage) => stage.startsWith('Hashing'))).toEqual([]);
    expect(store.folderCount).toBe(0);
  });

  it('is the same to the last byte when it is made again, but for the seconds', async () => {
    const hashes = () =>
      exported()
        .files.filter(({ path }) => path !== 'results.json')
        .map(({ path, sha256 }) => [path, sha256]);
    await exportGroup({ ...RECIPE, rank: { by: 'count', q: 2 } });
    const first = hashes();
    await exportGroup({ ...RECIPE, rank: { by: 'count', q: 2 } });
    expect(hashes()).toEqual(first);
  });
});
