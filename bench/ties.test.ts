import { expect, test } from 'vitest';
import { createReferenceEngine } from '@/reference/engine';
import { encodeFloats } from '@/tensor/half';
import { flatLayout, planChunks } from '@/tensor/layout';
import { cutsTies } from './ties';

/** A group of one task whose theta* is zero everywhere. */
async function groupOf(taskValues: readonly number[]) {
  const layout = flatLayout([{ name: 'a', shape: [taskValues.length] }]);
  const chunks = planChunks(layout, 2, () => 'F32', 64);
  const group = createReferenceEngine().createGroup({ layout, chunks, taskCount: 1 });
  group.upload(0, 0, encodeFloats(new Float32Array(taskValues.length), 'F32'));
  group.upload(1, 0, encodeFloats(Float32Array.from(taskValues), 'F32'));
  await group.merge([0], 'F32');
  return group;
}

test.each([
  ['a tie at the threshold, cut', [4, 1, -1, 0], 50, true],
  ['a tie at the threshold, kept whole', [4, 1, -1, 0], 75, false],
  ['no tie', [4, 3, 2, 1], 50, false],
  ['nothing kept', [1, 1, 1, 1], 0, false],
  ['all kept', [1, 1, 1, 1], 100, false],
])('%s', async (_, values, percent, expected) => {
  expect(await cutsTies(await groupOf(values), 0, percent)).toBe(expected);
});
