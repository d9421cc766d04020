/** Runtimes in threads of their own, as a browser starts them (src/platform/browser). */
import { afterEach, describe, expect, it } from 'vitest';
import { GraphBuilder } from '@/evaluate/onnx/graph-builder';
import { startLanes } from '@/platform/browser/lane-threads';
import { type Feeds, type GraphSession } from './graph-session';
import { type LaneArray } from './lane-messages';
import { Lanes, type LaneThreads } from './lanes';
import { createGraphSession } from './session';

/** output = input x input + weight, twice = output + output */
function squareGraph(): Uint8Array {
  const graph = new GraphBuilder('square');
  const input = graph.input('input', ['n']);
  const square = graph.op('Mul', [input, input]);
  const output = graph.op('Add', [square, graph.weight('weight', [1])]);
  graph.output('output', output, ['n']);
  graph.output('twice', graph.op('Add', [output, output]), ['n']);
  return graph.build();
}

const input = (...values: number[]): Feeds =>
  new Map([['input', { shape: [values.length], data: Float32Array.from(values) }]]);
const weightsOf = (data: Float32Array): Feeds =>
  // Others', too: no graph need take all of a model.
  new Map(['weight', 'unused'].map((name) => [name, { shape: [data.length], data }]));
const TEN = weightsOf(Float32Array.of(10));

const open: Lanes[] = [];
function lanesOf(count: number, start: (count: number) => LaneThreads = startLanes): Lanes {
  const lanes = new Lanes(count, start);
  open.push(lanes);
  return lanes;
}

afterEach(() => {
  for (const lanes of open.splice(0)) lanes.dispose();
});

function openSquare(lanes: Lanes, kept: readonly string[] = []): Promise<GraphSession> {
  return createGraphSession(squareGraph(), { kind: 'wasm', lanes }, kept);
}

describe('lanes', () => {
  it('answer side by side, each with the weights it is asked with', async () => {
    const session = await openSquare(lanesOf(2));
    expect(session.lanes).toHaveLength(2);
    const other = weightsOf(Float32Array.of(-1));
    const answers = await Promise.all([
      ...session.lanes.map((lane) => lane.run(input(1, 2), 'output', TEN)),
      ...session.lanes.map((lane) => lane.run(input(3), 'output', other)),
      session.run(input(4), 'twice', TEN),
    ]);
    expect(answers.map((answer) => [...answer])).toEqual([[11, 14], [11, 14], [8], [8], [52]]);
    await session.release();
  });

  it('are brought a model once, and of the next only what it has otherwise', async () => {
    const added: (readonly LaneArray[])[] = [];
    const watched = (count: number): LaneThreads => {
      const threads = startLanes(count);
      const all = threads.all.map((host) => ({
        open: host.open.bind(host),
        run: host.run.bind(host),
        drop: host.drop.bind(host),
        close: host.close.bind(host),
        useWeights: (...[named, arrays]: Parameters<typeof host.useWeights>) => {
          added.push([...arrays.values()]);
          return host.useWeights(named, arrays);
        },
      }));
      return { ...threads, all };
    };
    const session = await openSquare(lanesOf(1, watched));
    const whole = Float32Array.of(1, 2, 3);
    const part = whole.subarray(1, 2);
    const first = new Map([...weightsOf(part), ...new Map([['a', TEN.get('weight')!]])]);
    const next = new Map([...weightsOf(Float32Array.of(7)), ['a', first.get('a')!]] as const);
    expect([...(await session.run(input(0), 'output', first))]).toEqual([2]);
    expect([...(await session.run(input(1), 'output', first))]).toEqual([3]);
    expect([...(await session.run(input(0), 'output', next))]).toEqual([7]);
    // An array that two names share is brought once, and no more of its buffer than is its own.
    expect(added.map((arrays) => arrays.map((array) => array.buffer.byteLength))).toEqual([
      [4, 4],
      [4],
    ]);
    expect(whole).toHaveLength(3);
  });

  it('keep outputs for another graph where they were made', async () => {
    const lanes = lanesOf(2);
    const [first, second] = [await openSquare(lanes, ['output']), await openSquare(lanes)];
    for (const [i, lane] of first.lanes.entries()) {
      const made = await lane.runHeld(input(2, 3), ['output', 'twice'], TEN);
      const kept = made.get('output')!;
      expect(kept.data).not.toBeInstanceOf(Float32Array);
      expect(made.get('twice')!.data).toEqual(Float32Array.of(28, 38));
      const feeds = new Map([['input', kept]]);
      expect([...(await second.lanes[i]!.run(feeds, 'output', TEN))]).toEqual([206, 371]);
      kept.dispose();
      await expect(second.lanes[i]!.run(feeds, 'output', TEN)).rejects.toMatchObject({
        kind: 'internal',
      });
    }
  });

  it('say what onnxruntime refused, and go on after it', async () => {
    const lanes = lanesOf(1);
    const session = await openSquare(lanes);
    await expect(session.run(input(1), 'output')).rejects.toMatchObject({
      name: 'PeruError',
      kind: 'internal',
      message: expect.stringContaining('weight') as string,
      hint: expect.stringContaining('report') as string,
    });
    expect([...(await session.run(input(1), 'output', TEN))]).toEqual([11]);
    const provider = { kind: 'wasm', lanes } as const;
    await expect(createGraphSession(Uint8Array.of(1, 2, 3), provider)).rejects.toMatchObject({
      kind: 'internal',
    });
  });
});

describe('a lane that is gone', () => {
  const STOPPED = {
    name: 'PeruError',
    kind: 'worker-stopped',
    message: expect.stringContaining('Uncaught') as string,
    mayPass: true,
  };

  /** Threads of which one can be made to fail. */
  function breakable() {
    let fail: (message: string) => void = () => undefined;
    const start = (count: number): LaneThreads => ({
      ...startLanes(count),
      lost: new Promise((resolve) => (fail = resolve)),
    });
    return {
      start,
      fail: () => {
        fail('Uncaught RangeError');
      },
    };
  }

  it('fails what is asked and what is on its way, by name', async () => {
    const { start, fail } = breakable();
    const session = await openSquare(lanesOf(2, start));
    const running = session.lanes.map((lane) => lane.run(input(1), 'output', TEN));
    const failed = running.map((run) => expect(run).rejects.toMatchObject(STOPPED));
    fail();
    await Promise.all(failed);
    await expect(session.run(input(1), 'output', TEN)).rejects.toMatchObject(STOPPED);
  });

  it('has never started where its script can not run', async () => {
    const broken = (): LaneThreads => {
      const script = new Blob(['throw new Error("no")'], { type: 'text/javascript' });
      const worker = new Worker(URL.createObjectURL(script), { type: 'module' });
      const silent = { open: () => new Promise(() => undefined) };
      return {
        all: [silent as unknown as LaneThreads['all'][number]],
        lost: new Promise((resolve) => {
          worker.onerror = (event) => {
            event.preventDefault();
            resolve(event.message);
          };
        }),
        dispose: () => {
          worker.terminate();
        },
      };
    };
    await expect(openSquare(lanesOf(1, broken))).rejects.toMatchObject(STOPPED);
  });

  it('leaves nobody waiting when it is disposed of', async () => {
    const lanes = lanesOf(1);
    const session = await openSquare(lanes);
    const running = session.run(input(1), 'output', TEN);
    const failed = expect(running).rejects.toMatchObject({ kind: 'internal' });
    lanes.dispose();
    await failed;
    await expect(openSquare(lanes)).rejects.toMatchObject({ kind: 'internal' });
  });
});
