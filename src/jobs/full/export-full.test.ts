/** Whole exports of full fine-tunes on the processor engine: what stands in the files. */
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { NO_CHOICES } from '@/plan/preflight';
import { ProcessorGroup } from '@/processor/group';
import { readSafetensorsHeader, readTensorBytes } from '@/tensor/safetensors';
import { f32 } from '@/tensor/safetensors.fixture';
import { decodeGaps } from '@/codecs/decode-gaps.fixture';
import {
  bench,
  exported,
  exportGroup,
  type Files,
  group,
  hear,
  model,
  RECIPE,
  requestOf,
  SIZE,
  stored,
  tensorsOf,
  wave,
} from '@/jobs/staging/export-group.fixture';

beforeEach(() => {
  bench.events = [];
});

describe('an export of fine-tunes', () => {
  it('holds the files that were promised, with the hashes that were told', async () => {
    expect(await exportGroup()).toEqual({ status: 'done' });
    const { files, bytes } = exported();
    expect(files.map(({ path, kind }) => [path, kind])).toEqual([
      ['merged.safetensors', 'merged'],
      ['model.safetensors.index.json', 'merged'],
      ['Cars-more.sparse.safetensors', 'sparse'],
      ['pets.sparse.safetensors', 'sparse'],
      ['LICENSE', 'side'],
      ['config.json', 'side'],
      ['tokenizer.json', 'side'],
      ['recipe.json', 'about'],
      ['mergekit.yml', 'about'],
      ['results.json', 'about'],
      ['README.md', 'about'],
    ]);
    expect([...bench.store.files.keys()].sort()).toEqual(files.map(({ path }) => path).sort());
    for (const file of files) {
      const content = stored(file.path);
      expect(file.bytes).toBe(content.length);
      expect(file.sha256).toBe(createHash('sha256').update(content).digest('hex'));
      expect(
        new Uint8Array(await (await bench.session.exportedFile(file.path))!.arrayBuffer()),
      ).toEqual(content);
    }
    expect(bytes).toBe(files.reduce((sum, file) => sum + file.bytes, 0));
    expect(await bench.session.exportedFile('base.safetensors')).toBeNull();
  });

  it('has the sizes that the Storage table tells', async () => {
    const inSteps = { ...RECIPE, mergedDtype: 'BF16', valueDtype: 'I8' } as const;
    for (const recipe of [RECIPE, inSteps, { ...RECIPE, valueDtype: 'Q2' } as const]) {
      await exportGroup(recipe);
      const sizes = new Map(exported().files.map(({ path, bytes }) => [path, bytes] as const));
      bench.events = [];
      await bench.session.run(recipe, hear);
      const rows = bench.events.findLast((event) => event.type === 'storage')!.rows;
      const row = rows.find(({ method }) => method === 'peru-fft@10')!;
      expect(row.files.length).toBe(4);
      for (const { name, bytes } of row.files)
        expect([name, bytes]).toEqual([name, sizes.get(name)]);
    }
  });

  it('adds up to the models that float64 arithmetic gives', async () => {
    await exportGroup();
    const merged = await tensorsOf('merged.safetensors');
    expect([...merged.header.tensors.keys()]).toEqual([
      'ids',
      'b.weight',
      'a.weight',
      'text.weight',
      'lm_head.weight',
    ]);
    const values = await merged.floats('b.weight');
    const oracle = wave(1).map((base, i) => {
      const at = Math.fround(base);
      const tasks = [1.2, 0.9].map((seed) => Math.fround(wave(seed)[i]!) - at);
      return at + 0.5 * tasks.reduce((sum, one) => sum + one, 0);
    });
    for (const [i, value] of values.entries()) expect(value).toBeCloseTo(oracle[i]!, 5);
    expect(await merged.floats('text.weight')).toEqual(wave(9, 7).map(Math.fround));
    // With F32 values, merged plus kept entries is the task's model where it was kept.
    const sparse = await tensorsOf('Cars-more.sparse.safetensors');
    const blob = new Blob([stored('Cars-more.sparse.safetensors')]);
    const positions = decodeGaps(await readTensorBytes(blob, sparse.header, 'b.weight.gaps'));
    const kept = await sparse.floats('b.weight.values');
    for (const [i, position] of positions.entries()) {
      expect(values[position]! + kept[i]!).toBeCloseTo(wave(1.2)[position]!, 5);
    }
    expect(await sparse.floats('head.weight')).toEqual(wave(5, 6).map(Math.fround));
    const ofA = sparse.header.tensors.get('a.weight.values')?.elementCount ?? 0;
    expect(positions.length + ofA).toBe(Math.round(0.1 * (SIZE + 30)));
  });

  it('names its sources by their hashes, and the merged model by its own', async () => {
    await exportGroup();
    const recipe = JSON.parse(new TextDecoder().decode(stored('recipe.json'))) as {
      base: { files: { path: string; sha256: string }[] };
      tasks: { task: string; files: { sha256: string }[] }[];
    };
    const hashOf = async (path: string): Promise<string> => {
      const file = group().find((one) => one.path === path)!.file;
      return createHash('sha256')
        .update(new Uint8Array(await file.arrayBuffer()))
        .digest('hex');
    };
    expect(recipe.base.files).toMatchObject([
      { path: 'model.safetensors', sha256: await hashOf('base/model.safetensors') },
    ]);
    expect(recipe.tasks.map(({ task }) => task)).toEqual(['Cars & more', 'pets']);
    expect(recipe.tasks[1]!.files[0]!.sha256).toBe(await hashOf('pets/model.safetensors'));
    const { header } = await tensorsOf('pets.sparse.safetensors');
    const merged = exported().files.find(({ path }) => path === 'merged.safetensors')!;
    expect(header.metadata.get('merged_sha256')).toBe(merged.sha256);
  });

  it('is the same to the last byte when it is made again, but for the seconds', async () => {
    await exportGroup();
    const hashes = () =>
      exported()
        .files.filter(({ path }) => path !== 'results.json')
        .map(({ path, sha256 }) => [path, sha256]);
    const first = hashes();
    await bench.session.export(requestOf(RECIPE), hear);
    expect(hashes()).toEqual(first);
    await exportGroup();
    expect(hashes()).toEqual(first);
  });

  it('asks for costs once: what a run, or another export, has counted it does not count', async () => {
    const measure = vi.spyOn(ProcessorGroup.prototype, 'measure');
    expect(await exportGroup()).toEqual({ status: 'done' });
    expect(measure, 'once a task').toHaveBeenCalledTimes(2);
    await bench.session.export(requestOf(RECIPE), hear);
    expect(measure).toHaveBeenCalledTimes(2);
    const recipe = { ...RECIPE, keptPercent: 33 };
    expect(await bench.session.run(recipe, hear)).toEqual({ status: 'done' });
    measure.mockClear();
    expect(await bench.session.export(requestOf(recipe), hear)).toEqual({ status: 'done' });
    expect(measure).not.toHaveBeenCalled();
    measure.mockRestore();
  });

  it('is the same when weights are streamed, but for what was told of them', async () => {
    const weights = () => exported().files.filter(({ path }) => path.endsWith('.safetensors'));
    for (const valueDtype of ['F16', 'I8', 'Q2'] as const) {
      const recipe = { ...RECIPE, valueDtype };
      await exportGroup(recipe);
      const resident = weights();
      await bench.session.plan({ ...NO_CHOICES, budgetBytes: 1 }, hear);
      const { memory } = bench.events.findLast((event) => event.type === 'preflight')!.preflight;
      const choices = { ...NO_CHOICES, budgetBytes: memory.leastBytes };
      expect(await exportGroup(recipe, {}, { choices })).toEqual({ status: 'done' });
      const preflight = bench.events.findLast((event) => event.type === 'preflight')!.preflight;
      expect(preflight.memory.mode).toBe('streamed');
      expect(weights()).toEqual(resident);
    }
  });

  it('stores nothing of a task that is the merged model, whatever m asks for', async () => {
    const of = (name: string, value: number): Files =>
      model(name, {
        'a.weight': f32(
          [30],
          Array.from({ length: 30 }, (_, i) => value * i),
        ),
      });
    const files = [...of('base', 0), ...of('one', 2), ...of('two', 2)];
    const recipe = { ...RECIPE, keptPercent: 50, valueDtype: 'Q2' } as const;
    expect(await exportGroup(recipe, {}, { files })).toEqual({ status: 'done' });
    const { header } = await tensorsOf('one.sparse.safetensors');
    expect(header.metadata.get('kept')).toBe('0');
    expect(header.tensors.get('peru.blocks')?.elementCount).toBe(0);
  });

  it('writes copies of a merged tensor like the tensor itself, and names left-out ones', async () => {
    const tied = (name: string, seed: number): Files => {
      const embedding = f32([6, 5], wave(seed, 30));
      const tensors = { 'model.embed_tokens.weight': embedding, 'x.bias': f32([3], wave(seed, 3)) };
      const copy = name === 'base' ? { 'lm_head.weight': embedding } : {};
      const config = JSON.stringify({ model_type: 'tiny', tie_word_embeddings: true });
      return [
        ...model(name, { ...tensors, ...copy }).filter(({ path }) => !path.endsWith('config.json')),
        { path: `${name}/config.json`, file: new File([config], 'config.json') },
      ];
    };
    const files = [...tied('base', 1), ...tied('one', 2), ...tied('two', 3)];
    const choices = { ...NO_CHOICES, exclude: ['x.*'] };
    const recipe = { ...RECIPE, mergedDtype: 'F16' } as const;
    expect(await exportGroup(recipe, {}, { files, choices })).toEqual({ status: 'done' });
    const blob = new Blob([stored('merged.safetensors')]);
    const header = await readSafetensorsHeader(blob, 'merged.safetensors');
    const [embedding, head] = await Promise.all(
      ['model.embed_tokens.weight', 'lm_head.weight'].map((name) =>
        readTensorBytes(blob, header, name),
      ),
    );
    expect(head).toEqual(embedding);
    expect(head).toHaveLength(2 * 30);
    expect(header.tensors.get('x.bias')?.dtype).toBe('F32');
    expect(JSON.parse(new TextDecoder().decode(stored('recipe.json')))).toMatchObject({
      exclude: ['x.*'],
      merge: { dtype: 'F16' },
    });
  });

  it('writes whole tensors under the base’s names, whatever the task calls its parts', async () => {
    const tower = (prefix: string, seed: number, rows: number) => ({
      [`${prefix}layer.0.weight`]: f32([40], wave(seed, 40)),
      [`${prefix}layer.1.weight`]: f32([30], wave(seed + 0.5, 30)),
      [`${prefix}layer.2.weight`]: f32([25], wave(seed + 0.7, 25)),
      [`${prefix}words.weight`]: f32([rows, 2], wave(seed + 1, 2 * rows)),
    });
    const files = [
      ...model('base', tower('enc.', 1, 4)),
      ...model('one', tower('', 1.2, 5)),
      ...model('two', tower('enc.', 0.9, 4)),
    ];
    expect(await exportGroup(RECIPE, {}, { files })).toEqual({ status: 'done' });
    const one = await tensorsOf('one.sparse.safetensors');
    const own = [...one.header.tensors.keys()].filter((name) => !/\.(?:gaps|values)$/.test(name));
    expect(own).toEqual(['enc.words.weight']);
    expect(await one.floats('enc.words.weight')).toEqual([...new Float32Array(wave(2.2, 10))]);
    // Opened again, they are that task's as before.
    const again = [...bench.store.files].map(([path, bytes]) => {
      return { path: `again/${path}`, file: new File([bytes], path) };
    });
    await bench.session.open({ kind: 'files', files: again }, NO_CHOICES, hear);
    const { tensors } = bench.events.findLast((event) => event.type === 'preflight')!.preflight;
    expect(tensors.ownTensors).toBe(1);
  });

  it('opens again where nothing is kept', async () => {
    const recipe = { ...RECIPE, keptPercent: 0 };
    const files = group().filter(({ path }) => !path.startsWith('Cars'));
    expect(await exportGroup(recipe, {}, { files })).toEqual({ status: 'done' });
    const again = [...bench.store.files].map(([path, bytes]) => {
      return { path: `again/${path}`, file: new File([bytes], path) };
    });
    expect(await bench.session.open({ kind: 'files', files: again }, NO_CHOICES, hear)).toEqual({
      status: 'done',
    });
    expect(await bench.session.load(hear)).toEqual({ status: 'done' });
  });

  it('lets NaN pass that the visitor has let pass before', async () => {
    const nan = { 'w.weight': f32([20], [Number.NaN, ...wave(4, 19)]) };
    const plain = { 'w.weight': f32([20], wave(1, 20)) };
    const files = [...model('base', plain), ...model('one', nan), ...model('two', plain)];
    const outcome = await exportGroup(RECIPE, {}, { files, allowNonFinite: true });
    expect(outcome).toEqual({ status: 'done' });
  });

  it('can be opened and exported again', async () => {
    await exportGroup();
    const files = [...bench.store.files].map(([path, bytes]) => {
      return { path: `again/${path}`, file: new File([bytes], path) };
    });
    const first = exported();
    expect(await bench.session.open({ kind: 'files', files }, NO_CHOICES, hear)).toEqual({
      status: 'done',
    });
    expect(await bench.session.load(hear)).toEqual({ status: 'done' });
    const recipe = { ...RECIPE, lambda: 0 };
    expect(await bench.session.export(requestOf(recipe), hear)).toEqual({ status: 'done' });
    const record = JSON.parse(new TextDecoder().decode(stored('recipe.json'))) as {
      base: { files: { path: string; sha256: string }[] };
      tasks: { files: { path: string; sha256: string }[] }[];
    };
    const hashed = [record.base, ...record.tasks].flatMap((one) => one.files);
    expect(hashed.map(({ path }) => path)).toContain('pets.sparse.safetensors');
    for (const { path, sha256 } of hashed) {
      expect(first.files.find((file) => file.path === path)?.sha256).toBe(sha256);
    }
  });

  it('keeps the merged model the same whatever m is', async () => {
    await exportGroup();
    const merged = () => exported().files[0]!.sha256;
    const first = merged();
    await bench.session.export(requestOf({ ...RECIPE, keptPercent: 3 }), hear);
    expect(merged()).toBe(first);
    await bench.session.export(requestOf({ ...RECIPE, lambda: 0.4 }), hear);
    expect(merged()).not.toBe(first);
  });

  it('tells bytes written and read back, up to all of them', async () => {
    await exportGroup();
    const told = bench.events.flatMap((event) =>
      event.type === 'progress' ? [event.progress] : [],
    );
    const staging = told.filter(({ stage }) => /^(?:Writing|Reading back) /.test(stage));
    expect(staging.map(({ stage }) => stage)).toContain('Writing merged.safetensors');
    expect(staging.map(({ stage }) => stage)).toContain('Reading back pets.sparse.safetensors');
    for (const [i, { done, total }] of staging.entries()) {
      expect(done).toBeGreaterThanOrEqual(staging[i - 1]?.done ?? 0);
      expect(done).toBeLessThanOrEqual(total);
    }
    expect(staging.at(-1)!.done).toBe(2 * exported().bytes);
  });
});
