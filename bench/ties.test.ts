import { expect, test } from 'vitest';
import { createReferenceEngine } from '@/reference/engine';
import { encodeFloats } from '@/tensor/half';
import { flatLayout, planChunks } from '@/tensor/layout';
import { linearMerge } from '@/tensor/merge-plan';
import { tieElements } from './ties';

/** A group of one task, in chunks of eight, whose theta* is zero everywhere. */
async function groupOf(taskValues: readonly number[]) {
  const layout = flatLayout([{ name: 'a', shape: [taskValues.length] }]);
  const chunks = planChunks(layout, 2, () => 'F32', 8);
  const group = createReferenceEngine().createGroup({ layout, chunks, taskCount: 1 });
  for (const { index, flatStart, elementCount } of chunks) {
    const values = taskValues.slice(flatStart, flatStart + elementCount);
    group.upload(0, index, encodeFloats(new Float32Array(elementCount), 'F32'));
    group.upload(1, index, encodeFloats(Float32Array.from(values), 'F32'));
  }
  await group.merge(linearMerge([0]), 'F32');
  return { group, chunks };
}

test.each([
  ['a tie at the threshold, cut', [4, 1, -1, 0], 50, 4],
  ['a tie at the threshold, kept whole', [4, 1, -1, 0], 75, 0],
  ['no tie', [4, 3, 2, 1], 50, 0],
  ['nothing kept', [1, 1, 1, 1], 0, 0],
  ['all kept', [1, 1, 1, 1], 100, 0],
  ['twenty equal ones, cut in the first of three chunks', Array<number>(20).fill(1), 40, 8],
  ['in the second', Array<number>(20).fill(1), 45, 16],
  ['in the last', Array<number>(20).fill(1), 95, 20],
])('%s', async (_, values, percent, expected) => {
  const { group, chunks } = await groupOf(values);
  expect(await tieElements(group, chunks, 0, percent)).toBe(expected);
});
