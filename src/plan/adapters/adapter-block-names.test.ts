/** Adapters whose layers are called otherwise inside of their blocks. */
import { describe, expect, it } from 'vitest';
import { expectMatch, factors, layers, plan, titles } from './adapter-names.fixture';

describe('other names inside of blocks', () => {
  const VIT = {
    'layers.#.attention.q_proj': 'encoder.layer.#.attention.attention.query',
    'layers.#.attention.k_proj': 'encoder.layer.#.attention.attention.key',
    'layers.#.attention.v_proj': 'encoder.layer.#.attention.attention.value',
    'layers.#.attention.o_proj': 'encoder.layer.#.attention.output.dense',
    'layers.#.mlp.fc1': 'encoder.layer.#.intermediate.dense',
    'layers.#.mlp.fc2': 'encoder.layer.#.output.dense',
  };
  const sizes = (name: string): readonly [number, number] => {
    if (/fc1|intermediate/.test(name)) return [12, 6];
    return /fc2|r\.#\.output/.test(name) ? [6, 12] : [6, 6];
  };
  const shapesOf = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, sizes(name)]));
  const file = layers(shapesOf(Object.values(VIT)));

  it.each([
    ['all', Object.keys(VIT)],
    ['some', ['layers.#.attention.q_proj', 'layers.#.attention.v_proj']],
    ['one', ['layers.#.attention.o_proj']],
    ['the two of the feed-forward', ['layers.#.mlp.fc1', 'layers.#.mlp.fc2']],
  ])('are what transformers 5 calls them in memory: ViT, %s', (_, names) => {
    const pairs = names.map((name) => [
      `${name.replace('#', '1')}.weight`,
      `${VIT[name as keyof typeof VIT].replace('#', '1')}.weight`,
    ]);
    const found = expectMatch(
      file,
      factors(shapesOf(names)),
      Object.fromEntries(pairs) as Record<string, string>,
    );
    expect(titles(found)[0]).toMatch(
      /^warning: task calls layers otherwise than the base: “layers\.…\./,
    );
    const back = plan(
      layers(shapesOf(Object.keys(VIT))),
      factors(shapesOf(names.map((name) => VIT[name as keyof typeof VIT]))),
    );
    expect(back.adaptedWeights).toHaveLength(2 * names.length);
  });

  it('are no warning where the adapter says that it was made for this kind', () => {
    const modelClass = {
      base_model_class: 'ViTModel',
      parent_library: 'transformers.models.vit.modeling_vit',
    };
    const entries = factors(shapesOf(['layers.#.attention.q_proj']));
    const found = plan(file, entries, { auto_mapping: modelClass }, { model_type: 'vit' });
    expect(titles(found)[0]).toMatch(/^note: /);
    expect(() => plan(file, entries, { auto_mapping: modelClass }, { model_type: 'bert' })).toThrow(
      /another base/,
    );
  });

  it.each([
    [
      'behind a prefix',
      { 'vit.encoder.layer.#.attention.attention.query': [6, 6] },
      { 'vit.layers.#.attention.q_proj': [6, 6] },
    ],
    [
      'with numbers in other places (Segformer)',
      { 'encoder.block.1.#.attention.self.query': [6, 6] },
      { 'stages.1.blocks.#.attention.q_proj': [6, 6] },
    ],
    [
      'beside blocks of a text tower',
      {
        'vision_model.encoder.layer.#.attention.query': [6, 6],
        'text_model.encoder.layer.#.attention.query': [6, 6],
      },
      { 'vision_model.layers.#.q_proj': [6, 6] },
    ],
    [
      'in self and cross attention',
      {
        'decoder.layer.#.self_attention.query': [6, 6],
        'decoder.layer.#.cross_attention.query': [6, 6],
      },
      { 'layers.#.cross_attention.q_proj': [6, 6] },
    ],
  ] as const)('are found %s', (_, base, names) => {
    const found = plan(layers(base), factors(names));
    const [, query] = Object.keys(layers(base)).sort();
    const expected = 'decoder.layer.#.cross_attention.query' in base ? /cross/ : /^(?!text)/;
    expect(found.adaptedWeights).toHaveLength(2);
    for (const name of found.adaptedWeights) expect(name).toMatch(expected);
    expect(query).toBeDefined();
  });

  it.each([
    ['two blocks of one shape', { 'a.layer.#.query': [6, 6], 'b.layer.#.query': [6, 6] }],
    [
      'a layer of that shape with a name of its own',
      { 'x.layer.#.query': [6, 6], 'x.layer.#.mix': [6, 6] },
    ],
    ['two of one role', { 'x.layer.#.self.query': [6, 6], 'x.layer.#.cross.query': [6, 6] }],
    ['another role only', { 'x.layer.#.key': [6, 6] }],
  ] as const)('are refused with the reason where there is a doubt: %s', (_, base) => {
    const entries = factors({ 'layers.#.q_proj': [6, 6] });
    expect(() => plan(layers(base), entries)).toThrow(/several parts|transformers 5/);
  });

  it('are refused where shapes or numbers do not fit', () => {
    const query = { 'encoder.layer.#.attention.query': [6, 6] } as const;
    expect(() => plan(layers(query), factors({ 'layers.#.q_proj': [6, 5] }))).toThrow(
      /another base/,
    );
    expect(() => plan(layers(query), factors({ 'layers.#.q_proj': [6, 6] }, 3))).toThrow(
      /another base/,
    );
  });
});
