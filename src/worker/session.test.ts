/** Whole jobs on tiny files, on the reference engine: what the page asks and hears back. */
import { beforeEach, describe, expect, it } from 'vitest';
import { f32, soundFile } from '@/tensor/safetensors.fixture';
import { type JobEvent, type PeruWorker, type Recipe, type SourceRequest } from './protocol';
import { createSession } from './session';

const RECIPE: Recipe = {
  mergeMethod: 'task-arithmetic',
  lambda: 0.5,
  keptPercent: 20,
  scope: 'global',
  rank: { by: 'count', q: 8 },
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
  session = createSession();
  events = [];
});

describe('opening', () => {
  it('tells what was found and why nothing is scored', async () => {
    expect(await session.open(group, hear)).toEqual({ status: 'done' });
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
    const outcome = await session.open(request, hear);
    expect(outcome).toMatchObject({ status: 'failed', error: { kind: 'non-finite' } });
    expect(JSON.stringify(outcome)).toContain('\\"w\\" (2)');
    expect(await session.open({ ...request, allowNonFinite: true }, hear)).toEqual({
      status: 'done',
    });
  });

  it('offers the candidates where the base can not be told, and takes the choice', async () => {
    const request: Files = { kind: 'files', files: [taskA, taskB] };
    const outcome = await session.open(request, hear);
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { kind: 'choose-base', choices: [{ name: 'a' }, { name: 'b' }] },
    });
    expect(await session.open({ ...request, base: 'b.safetensors' }, hear)).toEqual({
      status: 'done',
    });
    expect(heard('group')[0]?.group.cards[0]?.checkpoint).toBe('b');
  });

  it('leaves nothing open behind a failure', async () => {
    await session.open(group, hear);
    await session.open({ kind: 'files', files: [base] }, hear);
    expect(await session.run(RECIPE, hear)).toMatchObject({ status: 'failed' });
  });
});

describe('running', () => {
  it('keeps exactly m % of each task and tells what that stores', async () => {
    await session.open(group, hear);
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
    await session.open(group, hear);
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
    await session.open(group, hear);
    const first = session.run(RECIPE, hear);
    const second = session.run({ ...RECIPE, keptPercent: 5 }, hear);
    expect(await first).toEqual({ status: 'cancelled' });
    expect(await second).toEqual({ status: 'done' });
  });

  it('ends when cancelled, and runs again', async () => {
    await session.open(group, hear);
    const run = session.run(RECIPE, hear);
    await session.cancel();
    expect(await run).toEqual({ status: 'cancelled' });
    expect(await session.run(RECIPE, hear)).toEqual({ status: 'done' });
  });
});
