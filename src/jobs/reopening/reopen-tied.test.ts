/** Exports of tasks that keep their embeddings whole, beside heads that are them or are not. */
import { TEST_OPTIONS } from '@/jobs/context/test-platform.fixture';
import { describe, expect, it } from 'vitest';
import { openWeights } from '@/formats/checkpoint/checkpoint-source';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { readRange, readSafetensorsHeader, readTensorBytes } from '@/tensor/safetensors';
import { groupSources } from '@/jobs/open/group-sources';
import { type SourceRequest } from '@/protocol/requests';
import { dropped, type Exported, exportOf, grownGroup, loadFull, RECIPE } from './reopen.fixture';

const WEIGHTS = 'model.safetensors';
const TASKS = ['grown', 'pets'];

const request = (tied: boolean): SourceRequest => {
  return { kind: 'files', files: grownGroup(tied), base: `base/${WEIGHTS}` };
};

describe('a head beside a grown vocabulary', () => {
  it.each([0, 10, 100])('follows each task’s own embedding at m = %d', async (keptPercent) => {
    const files = await exportOf(request(true), { ...RECIPE, keptPercent });
    const again = await exportOf({ kind: 'files', files: dropped(files) }, RECIPE);
    for (const made of [files, again]) {
      const reopened = await taskTensors(made);
      expect([...reopened.keys()]).toEqual(TASKS);
      for (const [task, tensors] of reopened) {
        const embedding = await sourceBytes(task, 'shared.weight', true);
        expect(await bytesOf(tensors.get('shared.weight'))).toEqual(embedding);
        expect(await bytesOf(tensors.get('lm_head.weight'))).toEqual(embedding);
      }
    }
  });

  it('is stored once, and planned once again', async () => {
    const files = await exportOf(request(true), RECIPE);
    const { tensors, metadata } = await sparseHeader(files, 'grown');
    expect(tensors.has('lm_head.weight')).toBe(false);
    expect(JSON.parse(metadata.get('tied')!)).toEqual({ 'lm_head.weight': 'shared.weight' });
    const group = await loadFull({ kind: 'files', files: dropped(files) });
    expect(group.plan.own).toEqual([['shared.weight'], ['shared.weight']]);
    expect(group.plan.untouched).toEqual(['shared.weight', 'lm_head.weight']);
    group.dispose();
  });

  it('stays the task’s own where it is another tensor', async () => {
    const files = await exportOf(request(false), RECIPE);
    for (const [task, tensors] of await taskTensors(files)) {
      expect((await sparseHeader(files, task)).metadata.has('tied')).toBe(false);
      for (const name of ['shared.weight', 'lm_head.weight']) {
        expect(await bytesOf(tensors.get(name))).toEqual(await sourceBytes(task, name, false));
      }
    }
  });
});

async function taskTensors(files: Exported) {
  const group = await groupSources({ kind: 'files', files: dropped(files) }, TEST_OPTIONS);
  if (group.kind !== 'full') throw new Error('Fine-tunes opened as adapters.');
  const opened = group.tasks.map(async ({ name, model }) => {
    return [name, (await openWeights(model)).tensors] as const;
  });
  return new Map(await Promise.all(opened));
}

function sparseHeader(files: Exported, task: string) {
  return readSafetensorsHeader(new Blob([files.get(`${task}.sparse.safetensors`)!]), task);
}

async function bytesOf(tensor: StoredTensor | undefined): Promise<Uint8Array> {
  const { source, byteStart, byteLength, fileName } = tensor!;
  return readRange(source, byteStart, byteStart + byteLength, fileName);
}

async function sourceBytes(task: string, name: string, tied: boolean): Promise<Uint8Array> {
  const { file } = grownGroup(tied).find(({ path }) => path === `${task}/${WEIGHTS}`)!;
  return readTensorBytes(file, await readSafetensorsHeader(file, task), name);
}
