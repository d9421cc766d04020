/** What only the processor engine promises of a group: that it stops with the job, and its memory. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { encodeFloats } from '@/tensor/half';
import { type Engine, type WeightGroup } from '@/tensor/engine';
import { flatLayout, planChunks } from '@/tensor/layout';
import { linearMerge } from '@/tensor/merge-plan';
import { inlineThreads } from './crew/threads';
import { createProcessorEngine } from './engine';

const SIZE = 64;

let engine: Engine;
let group: WeightGroup;
/** As a job is handed to what was opened before it. */
let job: { signal: AbortSignal };
let stop: AbortController;

beforeEach(() => {
  engine = createProcessorEngine(inlineThreads(2), { cutAt: 8 });
  const layout = flatLayout([{ name: 'w', shape: [SIZE] }]);
  const chunks = planChunks(layout, 2, () => 'F32', SIZE / 4);
  stop = new AbortController();
  job = { signal: stop.signal };
  group = engine.createGroup({ layout, chunks, taskCount: 1, job });
  for (const { index, elementCount } of chunks) {
    for (const checkpoint of [0, 1]) {
      const values = Float32Array.from({ length: elementCount }, (_, i) => checkpoint * (i + 1));
      group.upload(checkpoint, index, encodeFloats(values, 'F32'));
    }
  }
});

afterEach(() => {
  group.dispose();
  expect(engine.memory().liveBytes).toBe(0);
  engine.dispose();
});

it('ends an operation with the job, and works for the next one', async () => {
  const [selection] = await group.select('base', 0, 'global', [50]);
  const encoded = group.encodeKept(selection!, 'F16');
  stop.abort(new Error('cancelled'));
  const merging = group.merge(linearMerge([1]), 'F32');
  await expect(merging).rejects.toThrow('cancelled');
  await expect(group.measure([selection!])).rejects.toThrow('cancelled');
  await expect(group.materialize({ kind: 'base' }, 'cpu')).rejects.toThrow('cancelled');
  await expect(encoded[Symbol.asyncIterator]().next()).rejects.toThrow('cancelled');

  job.signal = new AbortController().signal;
  await expect(group.histogram('merged', 0)).rejects.toThrow(/before any merge/);
  await group.merge(linearMerge([1]), 'F32');
  const [measure] = await group.measure([selection!]);
  expect(measure!.stats.kept).toBe(SIZE / 2);
  const merged = await group.materialize({ kind: 'merged' }, 'cpu');
  const task = await group.materialize({ kind: 'task', task: 0 }, 'cpu');
  expect(merged.tensors.get('w')).toEqual(task.tensors.get('w'));
});

it('makes room for theta* before it takes it', async () => {
  // So large that theta* takes more than the counts that room is left for.
  const layout = flatLayout([{ name: 'w', shape: [2 ** 16] }]);
  const chunks = planChunks(layout, 2, () => 'F32', 2 ** 12);
  const shape = { layout, chunks, taskCount: 1 };
  const { leastBytes, peakBytes } = engine.planMemory(shape, 'F32', Infinity);
  const read = (_: number, chunk: number) =>
    Promise.resolve(new Uint8Array(4 * chunks[chunk]!.elementCount));
  for (const budgetBytes of [leastBytes, peakBytes - 1]) {
    const streamed = engine.createGroup({ ...shape, streamed: { read, budgetBytes } });
    // All that fits is held by now.
    for (const checkpoint of [0, 1]) await streamed.countNonFinite(checkpoint);
    for (const dtype of ['F16', 'F32', 'F16'] as const) {
      await streamed.merge(linearMerge([1]), dtype);
      expect(engine.memory().peakBytes).toBeLessThanOrEqual(budgetBytes);
    }
    streamed.dispose();
  }
});
