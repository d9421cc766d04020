/** Parts of a model that are called otherwise than the base's, each in its own way. */
import { describe, expect, it } from 'vitest';
import { nameFindings } from './findings/names';
import { expectFits } from './expect-fits.fixture';
import {
  behind,
  bertShapes,
  classifier,
  clipLayers,
  clipVision,
  gpt2Shapes,
  header,
  replaced,
  type Shapes,
  without,
} from './headers.fixture';
import { planGroup } from './plan-group';

describe('names that differ in more than one prefix', () => {
  const text = behind('model.', clipLayers(3, 16));
  const tower = behind(
    'vision_model.',
    clipVision({ layers: 2, width: 8, patch: 4, positions: 5 }),
  );
  const head = { 'lm_head.weight': [30, 16] };
  const projector = { 'multi_modal_projector.linear_1.weight': [16, 8] };
  /** As LLaVA was saved until transformers 4.52, and since. */
  const before = {
    ...behind('language_model.', { ...text, ...head }),
    ...behind('vision_tower.', tower),
    ...projector,
  };
  const since = (name: string): string => {
    if (name === 'language_model.lm_head.weight') return 'lm_head.weight';
    if (name.startsWith('language_model.model.')) {
      return name.replace('language_model.model.', 'model.language_model.');
    }
    return `model.${name}`;
  };
  const renamedAll = (shapes: Shapes, rename: (name: string) => string): Shapes =>
    Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [rename(name), shape]));
  const after = renamedAll(before, since);

  it('finds each part of a vision-language model, either way', () => {
    const back = new Map(Object.keys(before).map((name) => [since(name), name]));
    const old = planGroup({ base: header('base', before), tasks: [header('ocr', after)] });
    expectFits(old, after, (name) => back.get(name)!);
    expect(old.own).toEqual([[]]);
    const recent = planGroup({ base: header('base', after), tasks: [header('ocr', before)] });
    expectFits(recent, before, since);
  });

  it('finds a part that only one word tells apart', () => {
    // Qwen2-VL: model.layers and visual become model.language_model.layers and model.visual.
    const base = { ...text, ...behind('visual.blocks.', tower), ...head };
    const rename = (name: string): string =>
      name.startsWith('model.')
        ? name.replace('model.', 'model.language_model.')
        : name.replace('visual.', 'model.visual.');
    const stored = renamedAll(base, rename);
    const back = new Map(Object.keys(base).map((name) => [rename(name), name]));
    const plan = planGroup({ base: header('base', base), tasks: [header('ocr', stored)] });
    expectFits(plan, stored, (name) => back.get(name)!);
  });

  it('keeps a grown vocabulary in the place of the one it grew from', () => {
    const grown = { ...after, 'lm_head.weight': [32, 16] };
    const plan = planGroup({ base: header('base', before), tasks: [header('ocr', grown)] });
    expect(plan.details.own[0]!.map(({ baseName }) => baseName)).toEqual([
      'language_model.lm_head.weight',
    ]);
  });

  it('lays no head over another', () => {
    const size = { layers: 2, width: 8, vocabulary: 30 };
    const body = behind(
      'roberta.',
      without(bertShapes(size), 'pooler.dense.weight', 'pooler.dense.bias'),
    );
    const norm = { 'lm_head.layer_norm.weight': [8], 'lm_head.layer_norm.bias': [8] };
    const dense = (at: string): Shapes => ({ [`${at}.weight`]: [8, 8], [`${at}.bias`]: [8] });
    const base = { ...body, ...dense('lm_head.dense'), ...norm, 'lm_head.bias': [30] };
    const task = { ...body, ...dense('classifier.dense'), ...classifier(2, 8) };
    const heads = { ...body, ...dense('classifier.dense'), 'classifier.out_proj.weight': [2, 8] };
    for (const stored of [task, heads]) {
      const plan = planGroup({
        base: header('roberta-base', base),
        tasks: [header('mnli', stored)],
      });
      expect(plan.layout.tensors.map(({ name }) => name)).toEqual(Object.keys(body).sort());
    }
  });

  it('moves a part of the model as a whole', () => {
    const base = { ...behind('a.', clipLayers(2, 8)), ...behind('b.', clipLayers(3, 8)), ...text };
    const stored = { ...behind('a.', clipLayers(3, 8)), ...text };
    const plan = planGroup({ base: header('base', base), tasks: [header('task', stored)] });
    expect(plan.own[0]).toHaveLength(16);
    expect(plan.own[0]!.every((name) => name.startsWith('a.encoder.layers.2.'))).toBe(true);
  });

  it('reads parts that wrappers put in the middle, and both spellings of weight norm', () => {
    const base = { ...text, 'model.conv.weight_g': [1, 1, 3], 'model.conv.weight_v': [4, 2, 3] };
    const stored = renamedAll(base, (name) =>
      name
        .replace('weight_g', 'parametrizations.weight.original0')
        .replace('weight_v', 'parametrizations.weight.original1')
        .replace(/layers\.(\d+)\./, 'layers.$1._orig_mod.'),
    );
    const plan = planGroup({ base: header('base', base), tasks: [header('fi', stored)] });
    expect(plan.layout.tensors).toHaveLength(Object.keys(base).length);
    expect(plan.own).toEqual([[]]);
  });

  it('is found whether or not causal masks were saved', () => {
    const masks = (at: string): Shapes => ({ [`${at}h.0.attn.bias`]: [1, 1, 9, 9] });
    const gpt2 = gpt2Shapes(60);
    const stored = { ...behind('transformer.', gpt2), 'transformer.h.0.attn.masked_bias': [] };
    const base = header('base', { ...gpt2, ...masks('') });
    const plan = planGroup({ base, tasks: [header('code', stored)] });
    expect(plan.layout.tensors).toHaveLength(Object.keys(gpt2).length);
    expect(plan.untouched).toEqual(['h.0.attn.bias']);
  });

  it('matches a whole classifier by the structure of its layers, and asks for a look', () => {
    const size = { layers: 3, width: 8, patch: 4, positions: 5 };
    const body = {
      'embeddings.cls_token': [1, 1, 8],
      'embeddings.patch_embeddings.projection.weight': [8, 3, 4, 4],
      'layernorm.weight': [8],
    };
    const layers = bertShapes({ layers: size.layers, width: 8, vocabulary: 9 });
    const blocks = Object.fromEntries(
      Object.entries(layers).filter(([name]) => name.startsWith('encoder.')),
    );
    const base = { ...body, ...replaced(blocks, /attention\.self/, 'attention.attention') };
    const renames: readonly (readonly [RegExp, string])[] = [
      [/encoder\.layer\./, 'layers.'],
      [/attention\.attention\.(q|k|v)\w+/, 'attention.$1_proj'],
      [/attention\.output\.dense/, 'attention.o_proj'],
      [/intermediate\.dense/, 'mlp.fc1'],
      [/output\.dense/, 'mlp.fc2'],
    ];
    const inMemory = (name: string): string =>
      `vit.${renames.reduce((one, [from, to]) => one.replace(from, to), name)}`;
    const stored = { ...renamedAll(base, inMemory), ...classifier(3, 8) };
    const back = new Map(Object.keys(base).map((name) => [inMemory(name), name]));
    const plan = planGroup({ base: header('base', base), tasks: [header('pets', stored)] });
    expect(plan.own[0]).toEqual(['classifier.weight', 'classifier.bias']);
    expectFits(plan, without(stored, ...plan.own[0]!), (name) => back.get(name)!);
    const [warning] = nameFindings(plan).filter(({ level }) => level === 'warning');
    expect(warning?.names).toContain(
      'vit.layers.0.attention.q_proj.weight is encoder.layer.0.attention.attention.query.weight',
    );
  });
});
