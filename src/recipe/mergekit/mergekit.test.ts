import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { PeruError } from '@/core/errors';
import { type MergeRecipeFile } from '@/recipe/recipe-file';
import { ADAPTER_RECIPE, SPARSE_RECIPE } from '@/recipe/recipe.fixture';
import { mergekitYaml } from './mergekit';
import { readMergekit } from './mergekit-reader';
import { yamlNumber, yamlText } from './yaml-text';

const COMMIT = 'c'.repeat(40);
const comments = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line.startsWith('#'))
    .join(' ');

/** A file with two equal models unless told otherwise. */
const file = (lines: string, models = '{model: a/x, parameters: {weight: 0.4}}'): string =>
  `${lines}\nmodels: [${models}, {model: a/y, parameters: {weight: 0.4}}]\n`;

describe('mergekitYaml', () => {
  it('says task arithmetic as mergekit does', () => {
    expect(parse(mergekitYaml(SPARSE_RECIPE))).toEqual({
      merge_method: 'task_arithmetic',
      base_model: `openai/clip@${COMMIT}`,
      models: [
        { model: `someone/clip-cars@${COMMIT}`, parameters: { weight: 0.3 } },
        { model: `someone/clip-digits@${COMMIT}`, parameters: { weight: 0.3 } },
      ],
      parameters: { normalize: false, lambda: 1 },
      dtype: 'float32',
      out_dtype: 'bfloat16',
    });
  });

  it('averages with the base at weight 0, and reads that again', async () => {
    const recipe: MergeRecipeFile = {
      ...SPARSE_RECIPE,
      merge: { method: 'simple-average', dtype: 'F16' },
    };
    const written = parse(mergekitYaml(recipe)) as Record<string, unknown>;
    expect(written).toEqual({
      merge_method: 'linear',
      base_model: `openai/clip@${COMMIT}`,
      models: [
        { model: `openai/clip@${COMMIT}`, parameters: { weight: 0 } },
        { model: `someone/clip-cars@${COMMIT}`, parameters: { weight: 1 } },
        { model: `someone/clip-digits@${COMMIT}`, parameters: { weight: 1 } },
      ],
      parameters: { normalize: true },
      dtype: 'float32',
      out_dtype: 'float16',
    });
    expect(comments(mergekitYaml(recipe))).toContain('clip stands in the list with weight 0');
    expect(await readMergekit(mergekitYaml(recipe))).toEqual({
      base: `openai/clip@${COMMIT}`,
      tasks: [
        { repo: `someone/clip-cars@${COMMIT}`, weight: 1 },
        { repo: `someone/clip-digits@${COMMIT}`, weight: 1 },
      ],
      mergeMethod: 'simple-average',
      lambda: null,
      dtype: 'F16',
      notSaid: [],
    });
  });

  it('names in comments what it can not say', () => {
    const said = comments(mergekitYaml(SPARSE_RECIPE));
    for (const part of [
      'PERU-FFT',
      '10 %',
      'vision_model.*',
      '*.bias',
      'integer',
      'rounds',
      'weights/last',
    ]) {
      expect(said).toContain(part);
    }
    const all = { ...SPARSE_RECIPE, include: [], exclude: [] };
    expect(comments(mergekitYaml(all))).not.toContain('only some tensors');
    expect(comments(mergekitYaml(ADAPTER_RECIPE))).toMatch(/PERU-LoRA.*the place of t5, a-lora/);
  });

  it('keeps names from being read as anything else', () => {
    const names = [
      'yes',
      '1.0',
      'a: b',
      'a #b',
      '- x',
      'ä "q" \\',
      'line\nmerge_method: ties',
      '\u0085',
      '~',
    ];
    for (const name of [...names, 'a@b', 'a+b']) {
      const recipe = { ...ADAPTER_RECIPE, base: { ...ADAPTER_RECIPE.base, name } };
      const written = mergekitYaml({ ...recipe, merge: { ...SPARSE_RECIPE.merge } });
      for (const version of ['1.1', '1.2'] as const) {
        const { base_model: base, merge_method: method } = parse(written, { version }) as Record<
          string,
          unknown
        >;
        expect(base).toEqual(/[@+]/.test(name) ? { model: { path: name } } : name);
        expect(method).toBe('task_arithmetic');
      }
    }
  });

  it('writes numbers that PyYAML takes for floats', () => {
    // The float of YAML 1.1 as PyYAML resolves it.
    const float = /^[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?$/;
    for (const value of [0, 1, 0.3, 1e-7, 1.5e-9, 1e21]) {
      expect(yamlNumber(value)).toMatch(float);
      expect(Number(yamlNumber(value))).toBe(value);
    }
    expect(yamlText('openai/clip')).toBe('openai/clip');
  });
});

describe('readMergekit', () => {
  it('reads what Peru writes', async () => {
    expect(await readMergekit(mergekitYaml(SPARSE_RECIPE))).toEqual({
      base: `openai/clip@${COMMIT}`,
      tasks: [
        { repo: `someone/clip-cars@${COMMIT}`, weight: 0.3 },
        { repo: `someone/clip-digits@${COMMIT}`, weight: 0.3 },
      ],
      mergeMethod: 'task-arithmetic',
      lambda: 0.3,
      dtype: 'BF16',
      notSaid: [],
    });
  });

  it.each([
    ['', 0.4],
    ['parameters: {lambda: 0.5}', 0.2],
    ['parameters: {normalize: true}', 0.5],
    ['parameters: {normalize: yes, lambda: 0.5}', 0.25],
    ['parameters: {lambda: "5e-1"}', 0.2],
  ])('task_arithmetic with %j has the coefficient %d', async (lines, lambda) => {
    const read = await readMergekit(
      file(`merge_method: task_arithmetic\nbase_model: a/b\n${lines}`),
    );
    expect(read).toMatchObject({ base: 'a/b', mergeMethod: 'task-arithmetic', notSaid: [] });
    expect(read.lambda).toBeCloseTo(lambda, 12);
  });

  it('takes the weight of all from the top, and leaves a listed base out', async () => {
    const read = await readMergekit(
      'merge_method: task_arithmetic\nbase_model: a/b\nparameters: {weight: 0.7}\nmodels: [{model: a/b}, {model: a/x}]',
    );
    expect(read).toMatchObject({ tasks: [{ repo: 'a/x', weight: 0.7 }], lambda: 0.7, notSaid: [] });
  });

  it('averages with the base where mergekit would', async () => {
    const base = '{model: a/b, parameters: {weight: 0.4}}, {model: a/x, parameters: {weight: 0.4}}';
    const read = await readMergekit(file('merge_method: linear\nbase_model: a/b', base));
    expect(read.mergeMethod).toBe('task-arithmetic');
    expect(read.lambda).toBeCloseTo(1 / 3, 11);
    expect(read.tasks.map(({ repo }) => repo)).toEqual(['a/x', 'a/y']);
    expect(read.notSaid).toEqual([]);
    const none = await readMergekit(file('merge_method: linear'));
    expect(none).toMatchObject({ base: null, mergeMethod: 'simple-average', lambda: null });
    expect(none.notSaid).toEqual([expect.stringContaining('names no base')]);
    // Not listed and without a weight, it is only where the rest comes from.
    const plain = await readMergekit(file('merge_method: linear\nbase_model: a/b'));
    expect(plain).toMatchObject({ base: 'a/b', mergeMethod: 'simple-average', notSaid: [] });
  });

  it.each([
    ['a/b', 'a/b@main'],
    ['a/b@main', 'a/b'],
    ['a/b/', 'a/b'],
    ['a/b', 'a/b/@main'],
    ['a/b@v1', 'a/b/@v1'],
    ['./models/b', 'models/b/'],
  ])('knows the base %s by the name %s', async (base, name) => {
    const models = `{model: ${name}, parameters: {weight: 0.4}}, {model: a/x, parameters: {weight: 0.4}}`;
    const read = (method: string) =>
      readMergekit(file(`merge_method: ${method}\nbase_model: ${base}`, models));
    const tasks = ['a/x', 'a/y'].map((repo) => ({ repo, weight: 0.4 }));
    expect(await read('task_arithmetic')).toMatchObject({ base, tasks, lambda: 0.4 });
    const average = await read('linear');
    expect(average).toMatchObject({ base, tasks, mergeMethod: 'task-arithmetic' });
    expect(average.lambda).toBeCloseTo(1 / 3, 11);
  });

  it.each(['a/b@v1', 'a/b2', 'b', 'a/b/part'])('takes %s for another model', async (name) => {
    const models = `{model: ${name}, parameters: {weight: 0.4}}`;
    const read = await readMergekit(file('merge_method: linear\nbase_model: a/b', models));
    expect(read.tasks.map(({ repo }) => repo)).toEqual([name, 'a/y']);
  });

  it.each([
    ['tokenizer_source: union', /"tokenizer_source"/],
    ['chat_template: chatml', /"chat_template"/],
    ['parameters: {t: 0.5}', /"t"/],
    ['parameters: {lambda: 9}', /coefficient is 3\.6; Peru takes 2/],
    ['dtype: float16', /computes in float16/],
    ['dtype: float32\nout_dtype: float64', /writes float64/],
  ])('names what it does not follow: %j', async (lines, says) => {
    const { notSaid } = await readMergekit(
      file(`merge_method: task_arithmetic\nbase_model: a/b\n${lines}`),
    );
    expect(notSaid.join(' ')).toMatch(says);
  });

  const weighted = (weight: string): string =>
    file(
      'merge_method: task_arithmetic\nbase_model: a/b',
      `{model: a/x, parameters: {weight: ${weight}}}`,
    );

  it.each([
    ['0.2', 0.3, /differ \(0\.2, 0\.4\)/],
    ['[0.2, 0.6]', 0.4, /a\/x differs by layer/],
    ['[{filter: mlp, value: 0.1}, {value: 0.4}]', 0.4, /a\/x differs by layer/],
  ])('takes one number from the weight %s', async (weight, lambda, says) => {
    const read = await readMergekit(weighted(weight));
    expect(read.lambda).toBeCloseTo(lambda, 12);
    expect(read.notSaid.join(' ')).toMatch(says);
  });

  it.each(['[{filter: mlp, value: 0.1}, 0.4]', 'heavy', '[]'])(
    'refuses the weight %s',
    async (weight) => {
      await expect(readMergekit(weighted(weight))).rejects.toMatchObject({ kind: 'parse' });
    },
  );

  it.each([
    ['merge_method: ties\nbase_model: a/b', 'unsupported', /"ties"/],
    ['merge_method: dare_linear\nbase_model: a/b', 'unsupported', /"dare_linear"/],
    ['merge_method: linear\nslices: []', 'unsupported', /"slices"/],
    ['merge_method: task_arithmetic', 'parse', /base_model/],
    ['merge_method: task_arithmetic\nbase_model: a/b+a/lora', 'unsupported', /adapter a\/lora/],
    ['architectures: [x]', 'parse', /merge_method/],
    ['merge_method: linear\nmerge_method: linear', 'parse', /not valid YAML/],
    ['a: [', 'parse', /not valid YAML/],
  ])('refuses %j', async (lines, kind, says) => {
    const error: unknown = await readMergekit(file(lines), 'm.yml').catch(
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(PeruError);
    expect(error).toMatchObject({ kind, message: expect.stringMatching(says) as string });
    expect((error as PeruError).message).toContain('m.yml');
  });

  it.each([
    '',
    '- a',
    'text',
    'merge_method: linear',
    ' '.repeat(1_000_001),
    'merge_method: linear\nmodels: [{}]',
  ])('refuses what is no such file', async (text) => {
    await expect(readMergekit(text)).rejects.toMatchObject({ kind: 'parse' });
  });

  it('is not blown up by aliases', async () => {
    const levels = Array.from({ length: 12 }, (_, i) => {
      return `l${i + 1}: &l${i + 1} [${Array.from({ length: 9 }, () => `*l${i}`).join(', ')}]`;
    });
    const bomb = `l0: &l0 [x, x]\n${levels.join('\n')}\n`;
    await expect(readMergekit(bomb)).rejects.toMatchObject({ kind: 'parse' });
  });

  it('reads models that are spelled out', async () => {
    const read = await readMergekit(
      file(
        'merge_method: linear',
        '{model: {model: {path: a/x, revision: v1}}, parameters: {weight: 0.4}}',
      ),
    );
    expect(read.tasks[0]!.repo).toBe('a/x@v1');
  });
});
