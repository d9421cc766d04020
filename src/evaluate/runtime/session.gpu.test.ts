import { describe, expect, it } from 'vitest';
import logitsUrl from '../../../scripts/zoo/golden/logits-digits.safetensors?url';
import { type WorkerAnswer } from '@/evaluate/golden/evaluate-worker';
import {
  fetchBytes,
  largestDifference,
  openProvider,
  PROVIDER_KINDS,
} from '@/evaluate/golden/providers';
import { floats, parseGolden } from '@/evaluate/golden/read-golden';
import { GraphBuilder } from '@/evaluate/onnx/graph-builder';
import { createGraphSession, type FeedData, threadCount } from './session';

/** output = input x input + weight */
function squareGraph(): Uint8Array {
  const graph = new GraphBuilder('square');
  const input = graph.input('input', ['n']);
  const square = graph.op('Mul', [input, input]);
  graph.output('output', graph.op('Add', [square, graph.weight('weight', [1])]), ['n']);
  return graph.build();
}

function squareFeeds(values: number[], weight: number) {
  return new Map([
    ['input', { shape: [values.length], data: Float32Array.from(values) }],
    ['weight', { shape: [1], data: Float32Array.of(weight) }],
  ]);
}

describe.each(PROVIDER_KINDS)('graph session on %s', (kind) => {
  it('takes other weights and sizes with each run, and queues runs made together', async () => {
    const session = await createGraphSession(squareGraph(), await openProvider(kind));
    const answers = await Promise.all([
      session.run(squareFeeds([1, 2, 3], 10), 'output'),
      session.run(squareFeeds([4], -1), 'output'),
    ]);
    expect(answers.map((answer) => [...answer])).toEqual([[11, 14, 19], [15]]);
    await session.release();
  });

  it('says what onnxruntime refused, and goes on after it', async () => {
    const session = await createGraphSession(squareGraph(), await openProvider(kind));
    const wrong = new Map([['input', { shape: [1], data: Float32Array.of(1) }]]);
    await expect(session.run(wrong, 'output')).rejects.toMatchObject({
      name: 'PeruError',
      kind: 'internal',
      message: expect.stringContaining('weight') as string,
    });
    expect([...(await session.run(squareFeeds([2], 0), 'output'))]).toEqual([4]);
    await session.release();
  });

  it('refuses bytes that are no model', async () => {
    const provider = await openProvider(kind);
    await expect(createGraphSession(Uint8Array.of(1, 2, 3), provider)).rejects.toMatchObject({
      name: 'PeruError',
      kind: 'internal',
    });
  });

  it('works inside a dedicated worker, with threads', async () => {
    const count = 10;
    const worker = new Worker(new URL('../golden/evaluate-worker.ts', import.meta.url), {
      type: 'module',
    });
    const answer = await new Promise<WorkerAnswer>((resolve, reject) => {
      worker.onmessage = (event: MessageEvent<WorkerAnswer>) => {
        resolve(event.data);
      };
      worker.onerror = (event) => {
        reject(new Error(event.message));
      };
      worker.postMessage({ kind, count });
    });
    worker.terminate();
    const { data } = floats(parseGolden(await fetchBytes(logitsUrl)), 'finetuned');
    expect(largestDifference(answer.logits, data.subarray(0, count * 10))).toBeLessThan(1e-3);
    expect(answer.threads).toBe(2);
  });
});

/** output = input[ids], twice = output + output */
function gatherGraph(): Uint8Array {
  const graph = new GraphBuilder('gather');
  const ids = graph.input('ids', ['n'], 'int32');
  const rows = graph.op('Gather', [graph.input('input', ['m']), ids]);
  graph.output('output', rows, ['n']);
  graph.output('twice', graph.op('Add', [rows, rows]), ['n']);
  return graph.build();
}

describe.each(PROVIDER_KINDS)('held outputs on %s', (kind) => {
  it('feed another graph from where they are', async () => {
    const provider = await openProvider(kind);
    const first = await createGraphSession(gatherGraph(), provider, ['output', 'twice']);
    const second = await createGraphSession(squareGraph(), provider);
    const feeds = (...ids: number[]) =>
      new Map([
        ['ids', { shape: [ids.length], data: Int32Array.from(ids) }],
        ['input', { shape: [3], data: Float32Array.of(5, 7, 9) }],
      ]);
    const next = async (held: FeedData) => {
      const weight = { shape: [1], data: Float32Array.of(1) };
      const own = new Map<string, FeedData>([['weight', weight]]);
      return [...(await second.run(own.set('input', held), 'output'))];
    };
    const a = await first.runHeld(feeds(2, 0), ['twice', 'output']);
    // Another run of the same graph must not take the buffers back.
    const b = await first.runHeld(feeds(1), ['output']);
    expect(a.get('twice')!.shape).toEqual([2]);
    const onGpu = [...a.values()].map(({ data }) => !(data instanceof Float32Array));
    expect(onGpu).toEqual(onGpu.map(() => kind === 'webgpu'));
    expect(await next(a.get('twice')!)).toEqual([18 * 18 + 1, 10 * 10 + 1]);
    expect(await next(a.get('output')!)).toEqual([82, 26]);
    expect(await next(b.get('output')!)).toEqual([50]);
    for (const held of [...a.values(), ...b.values()]) held.dispose();
    await first.release();
    await second.release();
  });

  it('come as arrays where they were not asked to stay', async () => {
    const session = await createGraphSession(squareGraph(), await openProvider(kind));
    const held = await session.runHeld(squareFeeds([3], 1), ['output']);
    expect(held.get('output')).toMatchObject({ shape: [1], data: Float32Array.of(10) });
    await session.release();
  });
});

describe('GPU weights', () => {
  it('are read from the buffer at each run: writing to it changes the next answer', async () => {
    const provider = await openProvider('webgpu');
    if (provider.kind !== 'webgpu') throw new Error('No device.');
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const weight = provider.device.createBuffer({ size: 16, usage });
    const session = await createGraphSession(squareGraph(), provider);
    const feeds = new Map([
      ['input', { shape: [1], data: Float32Array.of(3) }],
      ['weight', { shape: [1], data: weight }],
    ]);
    provider.device.queue.writeBuffer(weight, 0, Float32Array.of(1));
    expect([...(await session.run(feeds, 'output'))]).toEqual([10]);
    provider.device.queue.writeBuffer(weight, 0, Float32Array.of(-9));
    expect([...(await session.run(feeds, 'output'))]).toEqual([0]);
    await session.release();
    weight.destroy();
  });
});

describe('memory on the CPU', () => {
  it('is counted before a run: what can not fit is never copied', async () => {
    const graph = new GraphBuilder('sum');
    const names = ['a', 'b', 'c', 'd'];
    const inputs = names.map((name) => graph.input(name, ['n']));
    graph.output('sum', graph.op('Sum', inputs), ['n']);
    const session = await createGraphSession(graph.build(), { kind: 'wasm' });
    // One array under four names, never touched: 4 GiB that take no memory.
    const data = new Float32Array(2 ** 28);
    const feeds = new Map(names.map((name) => [name, { shape: [data.length], data }]));
    await expect(session.run(feeds, 'sum')).rejects.toMatchObject({
      kind: 'out-of-memory',
      message: expect.stringContaining('4.0 GiB') as string,
    });
    const small = new Map(names.map((name) => [name, { shape: [1], data: Float32Array.of(2) }]));
    expect([...(await session.run(small, 'sum'))]).toEqual([8]);
    await session.release();
  });

  it('fails by name where the browser has none left, and is not trusted after it', async () => {
    const worker = new Worker(new URL('../golden/full-memory-worker.ts', import.meta.url), {
      type: 'module',
    });
    const answers = await new Promise<unknown[]>((resolve, reject) => {
      worker.onmessage = (event: MessageEvent<unknown[]>) => {
        resolve(event.data);
      };
      worker.onerror = (event) => {
        reject(new Error(event.message));
      };
      worker.postMessage(null);
    });
    worker.terminate();
    const failure = expect.objectContaining({ kind: 'out-of-memory' }) as unknown;
    expect(answers).toEqual([Float32Array.of(3), failure, failure]);
  });
});

describe('a lost device', () => {
  it('fails every run by name at once, and leaves a new device to work', async () => {
    const open = async () => (await navigator.gpu.requestAdapter())!.requestDevice();
    const device = await open();
    const lost = await createGraphSession(squareGraph(), { kind: 'webgpu', device });
    expect([...(await lost.run(squareFeeds([2], 1), 'output'))]).toEqual([5]);
    device.destroy();
    const failure = { name: 'PeruError', kind: 'device-lost' };
    await expect(lost.run(squareFeeds([2], 1), 'output')).rejects.toMatchObject(failure);
    await expect(lost.run(squareFeeds([2], 1), 'output')).rejects.toMatchObject(failure);
    await lost.release();
    const session = await createGraphSession(squareGraph(), {
      kind: 'webgpu',
      device: await open(),
    });
    expect([...(await session.run(squareFeeds([3], 1), 'output'))]).toEqual([10]);
    await session.release();
  });
});

describe('threadCount', () => {
  it('is half the cores of an isolated page', () => {
    expect(crossOriginIsolated).toBe(true);
    expect(threadCount()).toBe(Math.min(4, Math.ceil(navigator.hardwareConcurrency / 2)));
  });
});
