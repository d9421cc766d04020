import { describe, expect, it } from 'vitest';
import { readSafetensorsHeader, readTensorBytes } from '@/tensor/safetensors';
import { type ClipName, clipFiles, clipTensors } from '../../e2e/fixture-hub/clip-repo';
import { folderFiles, repoOf } from '../../e2e/fixture-hub/content';
import { startFixtureHub } from '../../e2e/fixture-hub/start-fixture-hub';
import { syntheticFile } from '../../e2e/fixture-hub/synthetic';
import { openWeights } from '@/formats/checkpoint/checkpoint-source';
import { type HubCheckpoint, openHubModel } from './hub-repo';
import { clientTo } from './hub.fixture';

describe('made-up checkpoints', () => {
  // Counts of parameters as transformers gives them.
  it.each([
    ['vit-base-patch32', 151_277_313, 87_456_000],
    ['vit-base-patch16', 149_620_737, 85_799_424],
    ['vit-large-patch14', 427_616_513, 303_179_776],
  ] as const)('%s has its true size', (name: ClipName, all, vision) => {
    const count = (parts: 'all' | 'vision') =>
      clipTensors(name, parts)
        .map(({ shape }) => shape.reduce((product, size) => product * size, 1))
        .reduce((sum, size) => sum + size, 0);
    expect(count('all')).toBe(all);
    expect(count('vision')).toBe(vision);
  });

  const tensors = [
    { name: 'a', shape: [3, 5] },
    { name: 'ids', shape: [7], dtype: 'I64' as const },
    { name: 'b', shape: [1001] },
  ];

  it.each(['F32', 'F16', 'BF16'] as const)('%s is the same however it is read', async (dtype) => {
    const file = syntheticFile({ tensors, dtype, seed: 1, task: 2 });
    const whole = await file.read(0, file.size);
    const header = await readSafetensorsHeader(new Blob([new Uint8Array(whole)]), 'made up');
    expect([...header.tensors.keys()]).toEqual(['a', 'ids', 'b']);
    for (const [start, end] of [
      [0, 3],
      [7, 300],
      [file.size - 1001, file.size - 3],
      [file.size - 1, file.size],
    ] as const) {
      expect(await file.read(start, end)).toEqual(whole.slice(start, end));
    }
  });

  it('differs a little by task, a lot by seed, and is never NaN or Inf', async () => {
    const values = async (seed: number, task: number) => {
      const file = syntheticFile({ tensors, dtype: 'F32', seed, task });
      const blob = new Blob([new Uint8Array(await file.read(0, file.size))]);
      const header = await readSafetensorsHeader(blob, 'made up');
      return new Float32Array((await readTensorBytes(blob, header, 'b')).buffer);
    };
    const [base, task, other] = await Promise.all([values(1, 0), values(1, 3), values(2, 0)]);
    expect(base.every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
    const change = task.map((value, i) => Math.abs(value / base[i]! - 1));
    expect(Math.max(...change)).toBeLessThan(0.01);
    expect(change.filter((part) => part > 0).length).toBeGreaterThan(900);
    expect(other).not.toEqual(base);
  });
});

describe('the fixture Hub', () => {
  it('serves a folder of the disk as a repo', async () => {
    const files = await folderFiles('public/zoo/models/clip-tiny');
    const hub = await startFixtureHub({ repos: [repoOf('zoo/clip-tiny', files)] });
    try {
      const model = (await openHubModel('zoo/clip-tiny', clientTo(hub))) as HubCheckpoint;
      const weights = await openWeights(model);
      expect(weights.byteLength).toBe(files.get('model.safetensors')!.size);
      const config = (await model.open('config.json'))!;
      expect(await config.text()).toMatch(/"model_type": "clip"/);
    } finally {
      await hub.close();
    }
  });

  it('serves a checkpoint of true size, of which headers alone are read', async () => {
    const files = clipFiles({ shape: 'vit-large-patch14', parts: 'all', dtype: 'F16', seed: 1 });
    const hub = await startFixtureHub({ repos: [repoOf('openai/large', files)] });
    try {
      const client = clientTo(hub);
      const weights = await openWeights(
        (await openHubModel('openai/large', client)) as HubCheckpoint,
      );
      expect(weights.tensors.size).toBe(590);
      expect(weights.byteLength).toBeGreaterThan(855_000_000);
      expect(client.traffic.fileBytes).toBeLessThan(100_000);
    } finally {
      await hub.close();
    }
  });
});
