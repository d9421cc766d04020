/** Workers of a browser as the processor engine's threads. */
import { expect, test } from 'vitest';
import { fakeGroup, type FakeGroup, flatWeights, normalValues } from '@/kernels/test-group';
import { inlineThreads } from '@/processor/crew/threads';
import { createProcessorEngine } from '@/processor/engine';
import { type Engine } from '@/tensor/engine';
import { linearMerge } from '@/tensor/merge-plan';
import { selectOne } from '@/tensor/one-selection.fixture';
import { browserThreads } from './processor-threads';

const SIZE = 100_003;

function groupOn(engine: Engine): FakeGroup {
  return fakeGroup(engine, {
    sizes: [70_000, 3, SIZE - 70_003],
    dtypeOf: (checkpoint) => (checkpoint === 2 ? 'BF16' : 'F16'),
    taskCount: 2,
    maxElements: 65_536,
    valueOf: normalValues(7, SIZE, 2),
  });
}

async function everything(engine: Engine): Promise<unknown[]> {
  const fake = groupOn(engine);
  const { group } = fake;
  await group.merge(linearMerge([0.3, 0.3]), 'F16');
  const selection = await selectOne(group, 'merged', 1, 'global', 10);
  const encoded = [];
  for await (const tensor of group.encodeKept(selection, 'I8')) encoded.push(tensor);
  const sparse = { kind: 'sparse', selection, valueDtype: 'F16' } as const;
  const all = [await flatWeights(fake, sparse), encoded, await group.histogram('base', 0)];
  group.dispose();
  return all;
}

test('workers give what one thread gives', async () => {
  const [workers, inline] = [browserThreads(), inlineThreads(1)].map((threads) =>
    createProcessorEngine(threads),
  ) as [Engine, Engine];
  expect(workers.adapter.description).toContain(String(navigator.hardwareConcurrency));
  expect(await everything(workers)).toEqual(await everything(inline));
  expect(workers.memory().liveBytes).toBe(0);
  workers.dispose();
  inline.dispose();
});
