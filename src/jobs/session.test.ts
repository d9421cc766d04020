/** Whole jobs on tiny files, on the processor engine: what the page asks and hears back. */
import { SPARSE_METHODS } from '@/methods/registry';
import { DEFAULT_LORA } from '@/recipe/lora-choices';
import { testPlatform } from '@/jobs/context/test-platform.fixture';
import { beforeEach, describe, expect, it } from 'vitest';
import { f32, soundFile } from '@/tensor/safetensors.fixture';
import { type JobEvent, type JobOutcome } from '@/protocol/events';
import { type PeruWorker } from '@/protocol/peru-worker';
import { type SourceRequest } from '@/protocol/requests';
import { type Recipe } from '@/recipe/recipe';
import { NO_CHOICES } from '@/plan/preflight';
import { createSession } from './session';

const RECIPE: Recipe = {
  mergeMethod: 'task-arithmetic',
  lambda: 0.5,
  keptPercent: 20,
  scope: 'global',
  compressors: SPARSE_METHODS,
  mergedDtype: null,
  valueDtype: 'F16',
  rescale: 'norm',
  rank: { by: 'count', q: 8 },
  lora: DEFAULT_LORA,
};
const SIZE = 50;

type Files = Extract<SourceRequest, { kind: 'files' }>;

function checkpoint(path: string, value: (index: number) => number): Files['files'][number] {
  const values = Array.from({ length: SIZE }, (_, index) => value(index));
  return { path, file: new File([soundFile({ w: f32([10, 5], values) })], path) };
}

const base = checkpoint('base.safetensors', () => 1);
const taskA = checkpoint('a.safetensors', (i) => 1 + i / 100);
const taskB = checkpoint('b.safetensors', (i) => 1 - i / 50);
const group: Files = { kind: 'files', files: [base, taskA, taskB] };

let session: PeruWorker;
let events: JobEvent[];
const hear = (event: JobEvent): void => {
  events.push(event);
};

function heard<Type extends JobEvent['type']>(type: Type): Extract<JobEvent, { type: Type }>[] {
  return events.filter((event): event is Extract<JobEvent, { type: Type }> => event.type === type);
}

beforeEach(() => {
  session = createSession(testPlatform());
  events = [];
});

/** Opens a group and loads it, as the page does where nothing large moves. */
async function open(request: SourceRequest, onEvent: typeof hear): Promise<JobOutcome> {
  const opened = await session.open(request, NO_CHOICES, onEvent);
  return opened.status === 'done' ? session.load(onEvent) : opened;
}

describe('opening', () => {
  it('tells what was found and why nothing is scored', async () => {
    expect(await open(group, hear)).toEqual({ status: 'done' });
    const [facts] = heard('group');
    expect(facts?.group.cards.map(({ role, checkpoint: name }) => [role, name])).toEqual([
      ['base', 'base'],
      ['task', 'a'],
      ['task', 'b'],
    ]);
    expect(facts?.group.contents).toEqual({ kind: 'full', elementCount: SIZE });
    expect(facts?.group.noAccuracyBecause).toMatch(/data set/);
  });

  it('refuses NaN by tensor and count, unless the visitor says to go on', async () => {
    const broken = checkpoint('broken.safetensors', (i) => (i % 25 === 3 ? Number.NaN : 1));
    const request: Files = { kind: 'files', files: [base, broken] };
    const outcome = await open(request, hear);
    expect(outcome).toMatchObject({ status: 'failed', error: { kind: 'non-finite' } });
    expect(JSON.stringify(outcome)).toContain('\\"w\\" (2)');
    expect(await open({ ...request, allowNonFinite: true }, hear)).toEqual({
      status: 'done',
    });
  });

  it('offers the candidates where the base can not be told, and takes the choice', async () => {
    const request: Files = { kind: 'files', files: [taskA, taskB] };
    const outcome = await open(request, hear);
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { kind: 'choose-base', choices: [{ name: 'a' }, { name: 'b' }] },
    });
    expect(await open({ ...request, base: 'b.safetensors' }, hear)).toEqual({
      status: 'done',
    });
    expect(heard('group')[0]?.group.cards[0]?.checkpoint).toBe('b');
  });

  it('leaves nothing open behind a failure', async () => {
    await open(group, hear);
    await open({ kind: 'files', files: [base] }, hear);
    expect(await session.run(RECIPE, hear)).toMatchObject({ status: 'failed' });
  });
});

describe('planning', () => {
  it('tells what will be merged before anything is loaded, and anew for other choices', async () => {
    expect(await session.open(group, NO_CHOICES, hear)).toEqual({ status: 'done' });
    expect(heard('group')).toEqual([]);
    const preflight = heard('preflight')[0]?.preflight;
    expect(preflight).toMatchObject({
      kind: 'full',
      tensors: { mergedTensors: 1, mergedElements: SIZE },
      bytes: { neededBytes: 3 * 4 * SIZE, toFetchBytes: 0, keptBytes: 0 },
      memory: { mode: 'resident', readsPerByte: 1 },
      startsByItself: true,
    });
    expect(preflight?.checkpoints.map(({ name }) => name)).toEqual(['base', 'a', 'b']);
    const nothing = await session.plan({ ...NO_CHOICES, exclude: ['*'] }, hear);
    expect(nothing).toMatchObject({ status: 'failed', error: { kind: 'mismatch' } });
    // A plan that failed can not be loaded; another can.
    expect(await session.load(hear)).toMatchObject({ status: 'failed' });
    expect(await session.plan(NO_CHOICES, hear)).toEqual({ status: 'done' });
    expect(await session.load(hear)).toEqual({ status: 'done' });
  });

  it('refuses a budget that nothing fits in, and says which one would do', async () => {
    expect(await session.open(group, { ...NO_CHOICES, budgetBytes: 1 }, hear)).toEqual({
      status: 'done',
    });
    const memory = heard('preflight')[0]?.preflight.memory;
    expect(memory).toMatchObject({ mode: 'streamed', budgetBytes: 1 });
    const error = { kind: 'out-of-memory' };
    expect(await session.load(hear)).toMatchObject({ status: 'failed', error });
    const enough = { ...NO_CHOICES, budgetBytes: memory!.leastBytes };
    expect(await session.plan(enough, hear)).toEqual({ status: 'done' });
    expect(await session.load(hear)).toEqual({ status: 'done' });
    expect(await session.run(RECIPE, hear)).toEqual({ status: 'done' });
  });
});

describe('models that differ', () => {
  const model = (path: string, tensors: Parameters<typeof soundFile>[0]) => ({
    path,
    file: new File([soundFile(tensors)], path),
  });
  const weights = (shift: number) =>
    f32(
      [10, 5],
      Array.from({ length: SIZE }, (_, i) => 1 + shift * Math.sin(i)),
    );

  it('reads what was saved under a prefix as if it were not', async () => {
    const named = [1, 2].map((t) =>
      model(`t${t}.safetensors`, { 'body.w': weights(t), 'body.v': weights(-t) }),
    );
    const renamed = [1, 2].map((t) =>
      model(`t${t}.safetensors`, { 'model.body.w': weights(t), 'model.body.v': weights(-t) }),
    );
    const plain = model('base.safetensors', { 'body.w': weights(0), 'body.v': weights(0.5) });
    const factsOf = async (files: Files['files']) => {
      events = [];
      const chosen = { kind: 'files', files, base: 'base.safetensors' } as const;
      expect(await open(chosen, hear)).toEqual({ status: 'done' });
      await session.run(RECIPE, hear);
      return { sparse: heard('sparse'), storage: heard('storage').at(-1)?.rows.at(-1)?.bytes };
    };
    expect(await factsOf([plain, ...renamed])).toEqual(await factsOf([plain, ...named]));
  });

  it('keeps heads whole beside the entries of their task, and counts their bytes', async () => {
    const files = [
      model('base.safetensors', { w: weights(0) }),
      model('a.safetensors', { w: weights(1), 'head.weight': f32([3, 4], Array(12).fill(7)) }),
      model('b.safetensors', { w: weights(2), 'head.weight': f32([5, 4], Array(20).fill(8)) }),
    ];
    const request = { kind: 'files', files, base: 'base.safetensors' } as const;
    expect(await open(request, hear)).toEqual({ status: 'done' });
    expect(heard('preflight')[0]?.preflight.tensors).toMatchObject({
      mergedTensors: 1,
      ownTensors: 1,
    });
    expect(await session.run(RECIPE, hear)).toEqual({ status: 'done' });
    const row = heard('storage')
      .at(-1)
      ?.rows.find(({ method }) => method === 'peru-fft@20');
    const [a, b] = ['a', 'b'].map((name) => {
      return row!.files.find((file) => file.name === `${name}.sparse.safetensors`)!.bytes;
    });
    // 8 numbers more, and offsets in the header that may be a digit longer.
    expect(b! - a!).toBeGreaterThanOrEqual(8 * 4);
    expect(b! - a!).toBeLessThanOrEqual(8 * 4 + 8);
  });
});

describe('running', () => {
  it('keeps exactly m % of each task and tells what that stores', async () => {
    await open(group, hear);
    expect(await session.run(RECIPE, hear)).toEqual({ status: 'done' });
    const asked = heard('sparse').filter(({ facts }) => facts.method.endsWith('@20'));
    expect(asked).toHaveLength(4);
    for (const { facts } of asked) {
      expect(facts.kept).toBe(0.2 * SIZE);
      expect(facts.energyShare).toBeGreaterThan(0.2);
    }
    const rows = heard('storage').at(-1)?.rows ?? [];
    expect(rows.map(({ method }) => method)).toEqual([
      'pretrained',
      'finetuned',
      'merged',
      ...[1, 5, 10, 20].map((m) => `peru-fft@${m}`),
      ...[1, 5, 10, 20].map((m) => `post-pruning@${m}`),
    ]);
    for (const { files, bytes } of rows) {
      expect(bytes).toBe(files.reduce((sum, file) => sum + file.bytes, 0));
    }
  });

  it('finds the energy that float64 arithmetic finds', async () => {
    await open(group, hear);
    await session.run(RECIPE, hear);
    const merged = (i: number): number => Math.fround(1 + 0.5 * (i / 100 - i / 50));
    const squares = Array.from({ length: SIZE }, (_, i) => (1 + i / 100 - merged(i)) ** 2);
    const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
    const top = [...squares].sort((a, b) => b - a).slice(0, 10);
    const facts = heard('sparse').find(
      (event) => event.facts.method === 'peru-fft@20' && event.facts.task === 'a',
    );
    // Weights near 1 are rounded to f32: about 1e-7 of a difference of 0.1.
    expect(facts?.facts.energyShare).toBeCloseTo(sum(top) / sum(squares), 5);
  });

  it('lets the latest recipe win', async () => {
    await open(group, hear);
    const first = session.run(RECIPE, hear);
    const second = session.run({ ...RECIPE, keptPercent: 5 }, hear);
    expect(await first).toEqual({ status: 'cancelled' });
    expect(await second).toEqual({ status: 'done' });
  });

  it('ends when cancelled, and runs again', async () => {
    await open(group, hear);
    const run = session.run(RECIPE, hear);
    await session.cancel();
    expect(await run).toEqual({ status: 'cancelled' });
    expect(await session.run(RECIPE, hear)).toEqual({ status: 'done' });
  });
});
