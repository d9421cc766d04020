/** Names of transformers 5 beside those of its files, from its own tables of renames. */
import { describe, expect, it } from 'vitest';
import { clipLayers, clipText, type Shapes } from '@/plan/headers.fixture';
import { matchStructure } from './match-structure';

const WIDTH = 8;

function dense(name: string, out = WIDTH, input = WIDTH): Shapes {
  return { [`${name}.weight`]: [out, input], [`${name}.bias`]: [out] };
}

function vit(at: (layer: number) => string, names: readonly string[], layers = 12): Shapes {
  const [query, key, value, output, first, second, before, after] = names as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const blocks = Array.from({ length: layers }, (_, i) => {
    const block = at(i);
    return {
      ...dense(`${block}.${query}`),
      ...dense(`${block}.${key}`),
      ...dense(`${block}.${value}`),
      ...dense(`${block}.${output}`),
      ...dense(`${block}.${first}`, 4 * WIDTH),
      ...dense(`${block}.${second}`, WIDTH, 4 * WIDTH),
      [`${block}.${before}.weight`]: [WIDTH],
      [`${block}.${before}.bias`]: [WIDTH],
      [`${block}.${after}.weight`]: [WIDTH],
      [`${block}.${after}.bias`]: [WIDTH],
    };
  });
  return Object.assign({}, ...blocks) as Shapes;
}

const IN_FILES = [
  'attention.attention.query',
  'attention.attention.key',
  'attention.attention.value',
  'attention.output.dense',
  'intermediate.dense',
  'output.dense',
  'layernorm_before',
  'layernorm_after',
];
const IN_MEMORY = [
  'attention.q_proj',
  'attention.k_proj',
  'attention.v_proj',
  'attention.o_proj',
  'mlp.fc1',
  'mlp.fc2',
  'layernorm_before',
  'layernorm_after',
];
const SEGFORMER = [
  'attention.self.query',
  'attention.self.key',
  'attention.self.value',
  'attention.output.dense',
  'mlp.dense1',
  'mlp.dense2',
  'layer_norm_1',
  'layer_norm_2',
];

const SAME = ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'];
const feed = (mlp: string) => [`${mlp}fc1`, `${mlp}fc2`, 'norm1', 'norm2'];

const asMap = (shapes: Shapes) => new Map(Object.entries(shapes));
const inFiles = vit((i) => `encoder.layer.${i}`, IN_FILES);

describe('matchStructure', () => {
  it.each([
    ['ViT', inFiles, IN_MEMORY],
    ['Segformer', vit((i) => `encoder.layer.${i}`, SEGFORMER), IN_MEMORY],
  ])('matches all modules of %s, layer by layer', (_, base, names) => {
    const stored = vit((i) => `layers.${i}`, names);
    const matched = matchStructure(asMap(base), asMap(stored));
    const baseNames = Object.keys(base);
    // Both are laid out in one order, so the n-th tensor of one is the n-th of the other.
    const expected = Object.keys(stored).map((name, i) => [name, baseNames[i]!] as const);
    expect(new Map(matched)).toEqual(new Map(expected));
  });

  const crossAttention = (output: string): Shapes => {
    const layers = Array.from(
      { length: 6 },
      (_, i) => `decoder.layers.${i}.encoder_attn.${output}`,
    );
    return Object.assign({}, ...layers.map((one) => dense(one))) as Shapes;
  };

  it('tells encoder and decoder of one shape apart by their paths', () => {
    // DETR: out_proj becomes o_proj, fc1 and fc2 move into mlp; the rest is called the same.
    const detr = (output: string, mlp: string): Shapes => ({
      ...vit((i) => `encoder.layers.${i}`, [...SAME, `self_attn.${output}`, ...feed(mlp)], 6),
      ...vit((i) => `decoder.layers.${i}`, [...SAME, `self_attn.${output}`, ...feed(mlp)], 6),
      ...crossAttention(output),
    });
    const [base, stored] = [detr('out_proj', ''), detr('o_proj', 'mlp.')];
    const leftOver = (shapes: Shapes, other: Shapes): Shapes =>
      Object.fromEntries(Object.entries(shapes).filter(([name]) => !(name in other)));
    const [baseLeft, left] = [leftOver(base, stored), leftOver(stored, base)];
    const matched = matchStructure(asMap(baseLeft), asMap(left));
    expect(matched.size).toBe(Object.keys(left).length);
    for (const [name, there] of matched) {
      expect(there).toBe(name.replace('o_proj', 'out_proj').replace('mlp.', ''));
    }
  });

  it('also the other way round', () => {
    const stored = vit((i) => `layers.${i}`, IN_MEMORY);
    expect(matchStructure(asMap(stored), asMap(inFiles)).size).toBe(Object.keys(stored).length);
  });

  it('reads numbered layers by number, not by spelling', () => {
    const matched = matchStructure(asMap(inFiles), asMap(vit((i) => `layers.${i}`, IN_MEMORY)));
    expect(matched.get('layers.10.mlp.fc1.weight')).toBe(
      'encoder.layer.10.intermediate.dense.weight',
    );
    expect(matched.get('layers.2.mlp.fc1.weight')).toBe(
      'encoder.layer.2.intermediate.dense.weight',
    );
  });

  it.each<[string, Shapes]>([
    ['another number of layers', vit((i) => `layers.${i}`, IN_MEMORY, 11)],
    [
      'a module more',
      { ...vit((i) => `layers.${i}`, IN_MEMORY), ...dense('layers.0.adapter.down') },
    ],
    ['a projection that may be any', vit((i) => `layers.${i}`, ['attn.a', ...IN_MEMORY.slice(1)])],
    ['two that claim one role', vit((i) => `layers.${i}`, ['attention.k', ...IN_MEMORY.slice(1)])],
  ])('matches nothing of a block with %s', (_, stored) => {
    expect(matchStructure(asMap(inFiles), asMap(stored)).size).toBe(0);
  });

  it('lays no tower over another', () => {
    const text = asMap(clipText({ layers: 2, width: WIDTH, vocabulary: 9 }));
    const layers = Object.entries(clipLayers(2, WIDTH));
    const vision = new Map(layers.map(([name, shape]) => [`vision.${name}`, shape] as const));
    const named = new Map([...text].map(([name, shape]) => [`text.${name}`, shape] as const));
    expect(matchStructure(named, vision).size).toBe(0);
  });

  it('takes tables of tokens for what they are, and heads for nothing', () => {
    const base = { 'embed_out.weight': [30, 8], 'pooler.dense.weight': [8, 8] };
    const stored = { 'lm_head.weight': [30, 8], 'classifier.dense.weight': [8, 8] };
    const matched = matchStructure(asMap(base), asMap(stored));
    expect([...matched]).toEqual([['lm_head.weight', 'embed_out.weight']]);
  });
});
