import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clipTensors } from '../../e2e/fixture-hub/clip-repo';
import { type FixtureFile } from '../../e2e/fixture-hub/content';
import { presetRepos } from '../../e2e/fixture-hub/preset-repos';
import { t5Tensors } from '../../e2e/fixture-hub/t5-repo';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { parseRepoRef } from '@/hub/repo-ref';
import { presetOf, PRESETS } from './presets';
import { readImageClasses } from './presets-classes';

const BASE_URL = new URL('http://page.example/presets/');

function served(body: string, status = 200) {
  return () => Promise.resolve(new Response(body, { status }));
}

function fileOfPage(name: string): string {
  return readFileSync(new URL(`../../public/presets/${name}`, import.meta.url), 'utf8');
}

describe('presets', () => {
  it.each(PRESETS)('$title names eight tasks and a base, each once', (preset) => {
    expect(presetOf(preset.id)).toBe(preset);
    const refs = [preset.base, ...preset.tasks.map(({ ref }) => ref)];
    expect(new Set(refs.map((ref) => parseRepoRef(ref).repo)).size).toBe(9);
    expect(new Set(preset.tasks.map(({ name }) => name)).size).toBe(8);
    for (const { name } of preset.tasks) expect(name).toMatch(/^[\w-]+$/);
  });

  it.each(PRESETS)('$title says how large it is', async (preset) => {
    const { repos } = presetRepos(preset.id, { dtype: 'F32' });
    let bytes = 0;
    for (const repo of repos) {
      const files = [...repo.revisions.values()].at(-1)!;
      const [path, file] = [...files].find(([name]) => name.endsWith('.safetensors'))!;
      const header = await readSafetensorsHeader(await start(file), path);
      for (const tensor of header.tensors.values()) bytes += tensor.byteLength;
    }
    expect(bytes).toBe(preset.aboutBytes);
  });

  it('knows the Flan-T5-base that the Hub has', () => {
    const count = t5Tensors().reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    // methods: model.safetensors has 990,345,061 bytes, of which 33.6 kB are its header.
    expect(count).toBe(247_577_856);
    expect(clipTensors('vit-base-patch32', 'vision')).toHaveLength(199);
  });

  it('asks as GLUE is laid out', () => {
    const preset = presetOf('flan-t5-base-glue')!;
    for (const { name, test } of preset.tasks) {
      if (test.kind !== 'text') throw new Error(`${name} is no text task.`);
      expect(test.prompt).toMatch(/\{\w+\}/);
      expect(test.answers === null).toBe(test.metric === 'spearman');
      for (const answer of test.answers ?? []) expect(answer).toMatch(/^[a-z]+$/);
      expect(test.split).toBe(name === 'mnli' ? 'validation_matched' : 'validation');
    }
  });
});

/** The beginning of a large file, as long as the file to the reader. */
async function start(file: FixtureFile): Promise<Blob> {
  const head = new Uint8Array(await file.read(0, Math.min(file.size, 300_000)));
  const blob = new Blob([head]);
  Object.defineProperty(blob, 'size', { value: file.size });
  return blob;
}

describe('class names', () => {
  /** Of the data sets, as their publishers count them. */
  const COUNTS: Readonly<Record<string, number>> = {
    'sun397.json': 397,
    'stanford-cars.json': 196,
    'resisc45.json': 45,
    'eurosat.json': 10,
    'svhn.json': 10,
    'gtsrb.json': 43,
    'mnist.json': 10,
    'dtd.json': 47,
  };

  it('are there for every image task, each its own, in templates that take them', async () => {
    const tests = presetOf('clip-vit-base-patch32')!.tasks.map(({ test }) => test);
    const files = tests.map((test) => (test.kind === 'image' ? test.classes : ''));
    expect([...files].sort()).toEqual(Object.keys(COUNTS).sort());
    for (const file of files) {
      const options = { baseUrl: BASE_URL, fetch: served(fileOfPage(file)) };
      const { classNames, templates } = await readImageClasses(file, options);
      expect(new Set(classNames).size).toBe(COUNTS[file]);
      expect(templates.every((template) => template.includes('{c}'))).toBe(true);
    }
  });

  it.each([
    ['{"classNames":[],"templates":["{c}"]}', /names no classes/],
    ['{"classNames":["a"],"templates":[3]}', /has no templates/],
    ['[]', /no JSON object/],
    [`{"x":"${'x'.repeat(100_001)}"}`, /larger than the 100000 bytes/],
  ])('are refused where the file is broken', async (body, message) => {
    const read = readImageClasses('a.json', { baseUrl: BASE_URL, fetch: served(body) });
    await expect(read).rejects.toThrow(message);
  });

  it('are missed by name', async () => {
    const read = readImageClasses('a.json', { baseUrl: BASE_URL, fetch: served('', 404) });
    await expect(read).rejects.toThrow(/presets\/a\.json.*missing/);
  });
});
