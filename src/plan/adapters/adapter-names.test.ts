/** Adapters whose names are not their base's: as transformers, compilers and wrappers make them. */
import { describe, expect, it } from 'vitest';
import { expectMatch, factors, layers, plan, titles } from './adapter-names.fixture';
import { adapter, type Entries, linear, tensors } from './adapters.fixture';
import { planAdapters } from './plan-adapters';

describe('other beginnings', () => {
  const QWEN_FILE = layers({
    'model.layers.#.self_attn.q_proj': [8, 6],
    'model.layers.#.self_attn.v_proj': [4, 6],
    'visual.blocks.#.attn.proj': [6, 6],
    'visual.blocks.#.mlp.fc1': [12, 6],
  });

  it('stand for one another: Qwen2-VL', () => {
    const found = expectMatch(
      QWEN_FILE,
      factors({ 'model.language_model.layers.#.self_attn.q_proj': [8, 6] }),
      {
        'model.language_model.layers.1.self_attn.q_proj.weight':
          'model.layers.1.self_attn.q_proj.weight',
      },
    );
    expect(titles(found)).toEqual([
      'note: task names 2 tensors otherwise than the base: “model.language_model.” in the place of “model.”.',
    ]);
  });

  it('differ from tower to tower', () => {
    const found = expectMatch(
      { ...QWEN_FILE, 'lm_head.weight': [9, 6] },
      {
        ...factors({
          'model.language_model.layers.#.self_attn.q_proj': [8, 6],
          'model.visual.blocks.#.mlp.fc1': [12, 6],
        }),
        ...linear('lm_head', 9, 6),
      },
      {
        'model.language_model.layers.0.self_attn.q_proj.weight':
          'model.layers.0.self_attn.q_proj.weight',
        'model.visual.blocks.1.mlp.fc1.weight': 'visual.blocks.1.mlp.fc1.weight',
        'lm_head.weight': 'lm_head.weight',
      },
    );
    expect(titles(found)).toHaveLength(2);
    expect(found.adaptedNames.get('visual.blocks.1.mlp.fc1.weight')).toBe(
      'model.visual.blocks.1.mlp.fc1.weight',
    );
  });

  const LLAVA_FILE: Entries = {
    ...layers({
      'language_model.model.layers.#.self_attn.q_proj': [6, 6],
      'vision_tower.vision_model.encoder.layers.#.self_attn.q_proj': [6, 6],
    }),
    'language_model.model.embed_tokens.weight': [9, 6],
    'language_model.lm_head.weight': [9, 6],
    'multi_modal_projector.linear_1.weight': [6, 6],
  };
  const LLAVA_CLASS: Entries = {
    ...layers({
      'model.language_model.layers.#.self_attn.q_proj': [6, 6],
      'model.vision_tower.vision_model.encoder.layers.#.self_attn.q_proj': [6, 6],
    }),
    'model.language_model.embed_tokens.weight': [9, 6],
    'lm_head.weight': [9, 6],
    'model.multi_modal_projector.linear_1.weight': [6, 6],
  };
  const adapting = (names: Entries): Entries => {
    const factored = Object.keys(names)
      .filter((name) => !name.includes('embed') && !name.includes('lm_head'))
      .map((name) => linear(name.replace(/\.weight$/, ''), 6, 6));
    return Object.assign({}, ...factored) as Entries;
  };

  it.each([
    ['the class of transformers 4.52 on an older file', LLAVA_FILE, LLAVA_CLASS],
    ['the older class on a newer file', LLAVA_CLASS, LLAVA_FILE],
  ])('of towers of one shape are told apart: %s', (_, base, names) => {
    const whole = Object.keys(names).filter((name) => /embed|lm_head/.test(name));
    const copies = Object.fromEntries(whole.map((name) => [name, names[name]!]));
    const pairs = Object.keys(names).map((name, i) => [name, Object.keys(base)[i]!]);
    const found = expectMatch(
      base,
      { ...adapting(names), ...copies },
      Object.fromEntries(pairs) as Record<string, string>,
    );
    expect(found.replacedTensors).toHaveLength(2);
    expect(found.adapters[0]!.own).toEqual([]);
  });

  it('are dropped where wrappers have put them, in the adapter and in the base', () => {
    const plain = layers({ 'model.layers.#.q': [4, 6] });
    const wrapped = (put: (name: string) => string): Entries =>
      Object.fromEntries(Object.entries(plain).map(([name, shape]) => [put(name), shape]));
    const bases = [
      plain,
      wrapped((name) => `module.${name}`),
      wrapped((name) => `_orig_mod.${name}`),
      wrapped((name) => name.replace(/\.q\./, '._orig_mod.q.')),
      wrapped((name) => name.replace(/weight$/, 'base_layer.weight')),
    ];
    const keys = [
      'model.layers.#.q',
      'base_model.model.module.model.layers.#.q',
      '_orig_mod.base_model.model.model.layers.#.q',
      'base_model.model.model.layers.#._orig_mod.q',
      'module.base_model.model._orig_mod.layers.#.q',
    ];
    for (const base of bases) {
      for (const key of keys) {
        const found = plan(base, factors({ [key]: [4, 6] }));
        expect(found.adaptedWeights).toEqual(Object.keys(base).sort());
      }
    }
    const twice = { ...factors({ q: [4, 6] }, 1), ...factors({ 'module.q': [4, 6] }, 1) };
    expect(() => plan({ 'q.weight': [4, 6] }, twice)).toThrow(/two adaptations of "module.q"/);
  });

  it('of another kind of model are refused', () => {
    const roberta = layers({ 'roberta.encoder.layer.#.attention.self.query': [6, 6] });
    const bert = factors({ 'bert.encoder.layer.#.attention.self.query': [6, 6] });
    expect(() => plan(roberta, bert)).toThrow(/task calls its layers otherwise|another base/);
    const mapping = (kind: string) => ({
      auto_mapping: {
        base_model_class: 'X',
        parent_library: `transformers.models.${kind}.modeling`,
      },
    });
    const qwen = factors({ 'model.language_model.layers.#.self_attn.q_proj': [8, 6] });
    const on = (kind: string, config: object) => () => plan(QWEN_FILE, qwen, mapping(kind), config);
    expect(on('qwen2_vl', { model_type: 'qwen2_vl' })).not.toThrow();
    expect(
      on('qwen2_vl', { model_type: 'x', text_config: { model_type: 'qwen2-vl' } }),
    ).not.toThrow();
    expect(on('llava', { model_type: 'qwen2_vl' })).toThrow(/another base/);
  });

  it('that fit two parts equally well are not chosen between', () => {
    const base = layers({ 'a.layers.#.q': [6, 6], 'b.layers.#.q': [6, 6] });
    expect(() => plan(base, factors({ 'layers.#.q': [6, 6] }))).toThrow(
      /fits several parts of base: its names match behind "a\.", "b\."/,
    );
    // A whole tensor that only one of them has tells them apart.
    const embedded = { ...base, 'b.embed_tokens.weight': [9, 6] };
    const found = plan(embedded, {
      ...factors({ 'layers.#.q': [6, 6] }),
      'embed_tokens.weight': [9, 6],
    });
    expect(found.adaptedWeights).toEqual(['b.layers.0.q.weight', 'b.layers.1.q.weight']);
  });

  it('lead into the tower that the adapter’s class names', () => {
    const base = layers({ 'text_model.layers.#.q': [6, 6], 'vision_model.layers.#.q': [6, 6] });
    const mapping = { base_model_class: 'CLIPVisionModel', parent_library: 'transformers.x.y' };
    const entries = factors({ 'layers.#.q': [6, 6] });
    expect(() => plan(base, entries)).toThrow(/fits several parts/);
    const found = plan(base, entries, { auto_mapping: mapping });
    expect(found.adaptedWeights[0]).toBe('vision_model.layers.0.q.weight');
  });

  it('of a lone layer need more than its last name', () => {
    const base = { 'embed.proj.weight': [6, 6], 'x.weight': [2, 2] } as const;
    expect(() => plan(base, linear('connector.proj', 6, 6))).toThrow(/another base/);
  });
});

describe('the names of the merged adapter', () => {
  const base = tensors('base', layers({ 'model.layers.#.q': [4, 6] }));
  const old = adapter('old', factors({ 'model.layers.#.q': [4, 6] }));
  const renamed = adapter('new', factors({ 'model.language_model.layers.#.q': [4, 6] }));
  const first = adapter('first', factors({ 'model.layers.#.q': [4, 6] }, 1));
  const second = adapter('second', linear('model.language_model.layers.1.q', 4, 6));
  const namesOf = (...adapters: (typeof old)[]) => planAdapters({ base, adapters });

  it('are those of the model that all adapters were made for', () => {
    expect([...namesOf(renamed, second).adaptedNames.values()]).toEqual([
      'model.language_model.layers.0.q.weight',
      'model.language_model.layers.1.q.weight',
    ]);
    expect(namesOf(old, first).adaptedNames.get('model.layers.1.q.weight')).toBe(
      'model.layers.1.q.weight',
    );
  });

  it('are the base’s where the adapters were made for different ones', () => {
    for (const adapters of [
      [old, renamed],
      [first, second],
    ]) {
      const mixed = namesOf(...adapters);
      expect(mixed.adaptedNames.size).toBe(0);
      expect(titles(mixed).at(-1)).toMatch(/made for models of different names/);
    }
  });
});
