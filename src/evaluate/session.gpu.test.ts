import { describe, expect, it } from 'vitest';
import logitsUrl from '../../scripts/zoo/golden/logits-digits.safetensors?url';
import { type WorkerAnswer } from './golden/evaluate-worker';
import { fetchBytes, largestDifference, openProvider, PROVIDER_KINDS } from './golden/providers';
import { floats, parseGolden } from './golden/read-golden';
import { GraphBuilder } from './onnx/graph-builder';
import { createGraphSession, threadCount } from './session';

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
    const worker = new Worker(new URL('./golden/evaluate-worker.ts', import.meta.url), {
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
