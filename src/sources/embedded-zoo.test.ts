import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { planGroup } from '@/plan/plan-group';
import { openRequired, openWeights } from '@/formats/checkpoint/checkpoint-source';
import { openImageDataset } from '@/datasets/dataset';
import { isRecord, JSON_CAPS, readJsonObject } from '@/formats/checkpoint/json-file';
import { readLicence } from '@/formats/checkpoint/model-card';
import { type Fetch } from './fetch-file';
import { openZoo, splitPath } from './zoo';

const baseUrl = new URL('../../public/zoo/', import.meta.url);
/** Serves public/zoo from disk. */
const fetch: Fetch = (url) =>
  Promise.resolve(
    existsSync(new URL(url))
      ? new Response(readFileSync(new URL(url)))
      : new Response('', { status: 404 }),
  );
const zoo = await openZoo({ baseUrl, fetch });

describe('the embedded zoo', () => {
  it('has eight tasks whose fine-tunes fit the base', async () => {
    const base = await openWeights(zoo.base);
    const tasks = await Promise.all(zoo.tasks.map(({ model }) => openWeights(model)));
    expect(tasks).toHaveLength(8);
    const plan = planGroup({ base, tasks });
    // Fine-tunes hold the vision tower; the text tower and the projections stay the base's.
    expect(plan.layout.tensors.every(({ name }) => name.startsWith('vision_model.'))).toBe(true);
    expect(plan.untouched.some((name) => name.startsWith('text_model.'))).toBe(true);
    expect(plan.layout.elementCount).toBe(plan.checkpoints[1]!.parameterCount);
    const dtypes = new Set(plan.checkpoints.flatMap((facts) => facts.dtypes));
    expect([...dtypes]).toEqual(expect.arrayContaining(['F32', 'F16', 'BF16']));
  });

  it('says under which licence each model stands', async () => {
    for (const { model } of zoo.tasks) {
      expect(await readLicence(await model.open('README.md'))).toBe('apache-2.0');
    }
  });

  it('lists the files of its base, which no server would', () => {
    expect(zoo.base.paths).toEqual(readdirSync(new URL(zoo.base.folder, baseUrl)).sort());
  });

  it('comes with readable configs', async () => {
    for (const path of ['config.json', 'preprocessor_config.json', 'tokenizer.json']) {
      const json = await readJsonObject(
        await openRequired(zoo.base, path),
        path,
        JSON_CAPS.tokenizer,
      );
      expect(isRecord(json)).toBe(true);
    }
  });

  it.each(zoo.tasks.map(({ name }) => name))('has a test split for %s', async (name) => {
    const task = zoo.tasks.find((one) => one.name === name)!;
    const blob = await openRequired(task.dataset, splitPath('test'));
    const dataset = await openImageDataset(blob, `${name} test`);
    expect(dataset.rowCount).toBeGreaterThanOrEqual(500);
    const rows = await dataset.readRows(0, dataset.rowCount);
    expect(new Set(rows.map(({ label }) => label)).size).toBe(dataset.classNames.length);
    const pngMark = [0x89, 0x50, 0x4e, 0x47];
    for (const { bytes } of rows) expect([...bytes.subarray(0, 4)]).toEqual(pngMark);
  });
});
