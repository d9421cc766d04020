/** Heads, vocabularies and biases that adapters bring, on headers written by hand. */
import { describe, expect, it } from 'vitest';
import { type LoraAdapter } from '@/formats/lora/lora-adapter';
import { type PlannedAdapter } from '@/formats/lora/adapter-plan';
import { type PeruError } from '@/core/errors';
import { adapter, type Entries, linear, tensors } from './adapters.fixture';
import { planAdapters } from './plan-adapters';

const base = tensors('base', {
  'bert.embeddings.word_embeddings.weight': [9, 4],
  'bert.encoder.layer.0.query.weight': [4, 4],
  'bert.encoder.layer.0.query.bias': [4],
  'bert.encoder.layer.0.norm.weight': [4],
  'pooler.weight': [4, 4],
});
const query = linear('bert.encoder.layer.0.query', 4, 4);
const bert = (name: string, entries: Entries, config: object = {}): LoraAdapter =>
  adapter(name, { ...query, ...entries }, { modules_to_save: ['classifier', 'score'], ...config });
const planned = (...adapters: LoraAdapter[]): readonly PlannedAdapter[] =>
  planAdapters({ base, adapters }).adapters;
const kept = ({ own }: PlannedAdapter) =>
  own.map(({ path, why, baseShape, tensor }) => [path, why, baseShape, tensor.name]);

function refusal(read: LoraAdapter | (() => LoraAdapter), on = base): PeruError {
  try {
    const one = typeof read === 'function' ? read() : read;
    planAdapters({ base: on, adapters: [one] });
  } catch (error) {
    return error as PeruError;
  }
  throw new Error('Not refused.');
}

describe('heads', () => {
  it('that the base lacks stay with their task, of as many labels and layers as they are', () => {
    const [two, three] = planned(
      bert('two', { 'classifier.weight': [2, 4], 'classifier.bias': [2] }),
      bert('three', { 'classifier.dense.weight': [4, 4], 'classifier.out_proj.bias': [3] }),
    );
    expect(kept(two!)).toEqual([
      ['classifier.weight', 'not-in-base', null, 'classifier.weight'],
      ['classifier.bias', 'not-in-base', null, 'classifier.bias'],
    ]);
    expect([...three!.copies.keys()]).toEqual([
      'classifier.dense.weight',
      'classifier.out_proj.bias',
    ]);
    expect(three!.replaced.size).toBe(0);
    expect(three!.parameterCount).toBe(16 + 16 + 3);
  });

  it.each([
    ['classifier.modules_to_save.default.dense.weight', 'classifier.dense.weight'],
    ['classifier.modules_to_save.dense.weight', 'classifier.dense.weight'],
    ['base_model.model.classifier.default.weight', 'classifier.weight'],
    ['_orig_mod.base_model.model.score.weight', 'score.weight'],
  ])('have the name that PEFT looks for, whatever the key: %s', (key, path) => {
    const [one] = planned(bert('one', { [key]: [4, 4] }));
    expect([...one!.copies.keys()]).toEqual([path]);
  });

  it('behind the name of the adapter, where the factors have it, too', () => {
    const entries = {
      'bert.encoder.layer.0.query.lora_A.mine.weight': [2, 4],
      'bert.encoder.layer.0.query.lora_B.mine.weight': [4, 2],
      'classifier.modules_to_save.mine.weight': [3, 4],
    };
    const [one] = planned(adapter('one', entries, { modules_to_save: ['classifier'] }));
    expect([...one!.copies.keys()]).toEqual(['classifier.weight']);
  });

  it('of another shape than the base’s stay with their task; then no one’s are merged', () => {
    const withHead = tensors('base', {
      'encoder.layer.0.q.weight': [4, 4],
      'score.weight': [5, 4],
      'score.bias': [5],
    });
    const factors = linear('encoder.layer.0.q', 4, 4);
    const config = { modules_to_save: ['score'] };
    const same = adapter('same', { ...factors, 'score.weight': [5, 4], 'score.bias': [5] }, config);
    const other = adapter('other', { ...factors, 'score.weight': [3, 4] }, config);
    const alone = planAdapters({ base: withHead, adapters: [same] });
    expect(alone.replacedTensors).toEqual(['score.bias', 'score.weight']);
    const plan = planAdapters({ base: withHead, adapters: [same, other] });
    expect(plan.replacedTensors).toEqual(['score.bias']);
    expect(plan.adapters.map(kept)).toEqual([
      [['score.weight', 'other-shape-elsewhere', [5, 4], 'score.weight']],
      [['score.weight', 'other-shape', [5, 4], 'score.weight']],
    ]);
  });

  it('are nothing that the base’s blocks lack, nor a bias without its layer', () => {
    const norm = bert(
      'one',
      { 'bert.encoder.layer.0.norm2.weight': [4] },
      { modules_to_save: ['norm2'] },
    );
    expect(refusal(norm).message).toMatch(/base lacks tensors that one changes: ".*norm2\.weight"/);
    const bias = bert('one', { 'cls.bias': [4] }, { bias: 'all' });
    expect(refusal(bias).message).toMatch(/"cls\.bias"\. It has 1 of the 2/);
    const shape = bert(
      'one',
      { 'bert.encoder.layer.0.norm.weight': [5] },
      { modules_to_save: ['norm'] },
    );
    expect(refusal(shape).message).toMatch(/"bert.*norm\.weight" \[5\], but base has .* \[4\]/);
  });
});

describe('vocabularies', () => {
  const model = (more: Entries = {}) =>
    tensors('base', {
      'model.layers.0.q.weight': [4, 4],
      'model.embed_tokens.weight': [9, 4],
      ...more,
    });
  const factors = linear('model.layers.0.q', 4, 4);
  const table = (rows: number, columns = 4): Entries => ({
    'model.embed_tokens.weight': [rows, columns],
  });
  const head = (rows: number): Entries => ({ 'lm_head.weight': [rows, 4] });
  const plan = (one: LoraAdapter, more: Entries = {}) =>
    planAdapters({ base: model(more), adapters: [one] }).adapters[0]!;

  it('of another size stay with their task, their head with them', () => {
    const grown = plan(adapter('grown', { ...factors, ...table(11), ...head(11) }), head(9));
    expect(grown.own.map(({ why }) => why)).toEqual(['other-shape', 'other-shape']);
    const wide = adapter('wide', { ...factors, ...table(9, 5) });
    expect(refusal(wide, model()).message).toMatch(/\[9, 5\], but base has .* \[9, 4\]/);
  });

  it('are one table where the configuration ties the head to it', () => {
    const tying = { modules_to_save: ['embed_tokens'], ensure_weight_tying: true };
    const tied = plan(adapter('tied', { ...factors, ...table(9), ...head(9) }, tying));
    expect([...tied.replaced.keys()]).toEqual(['model.embed_tokens.weight']);
    expect(tied.own).toEqual([]);
    expect(tied.tied).toEqual([{ path: 'lm_head.weight', embedding: 'model.embed_tokens.weight' }]);
    // The flag does nothing to a head that has a tensor of its own.
    const untied = plan(adapter('untied', { ...factors, ...table(9), ...head(9) }, tying), head(9));
    expect([...untied.replaced.keys()]).toEqual(['model.embed_tokens.weight', 'lm_head.weight']);
  });

  it('leave the head to the task where nothing ties them', () => {
    const saved = { modules_to_save: ['embed_tokens', 'lm_head'] };
    const both = plan(adapter('both', { ...factors, ...table(9), ...head(9) }, saved));
    expect([...both.replaced.keys()]).toEqual(['model.embed_tokens.weight']);
    expect(kept(both)).toEqual([['lm_head.weight', 'tied', null, 'lm_head.weight']]);
    expect(plan(adapter('flag', factors, { ensure_weight_tying: true })).own).toEqual([]);
  });

  it('are refused where factors adapt head and embedding as one', () => {
    const tying = { ensure_weight_tying: true, target_modules: ['q', 'embed_tokens'] };
    const one = () => adapter('one', { ...factors, ...linear('lm_head', 9, 4) }, tying);
    expect(refusal(one, model()).message).toMatch(
      /ensure_weight_tying, and one has factors for "lm_head"/,
    );
  });

  it('are refused where the base calls its embedding otherwise', () => {
    const other = adapter('other', { ...factors, 'wte.weight': [9, 4] });
    expect(refusal(other, model()).message).toMatch(/base lacks tensors that other changes: "wte/);
  });
});

describe('empty tensors', () => {
  it.each([
    ['a copy', { 'pooler.weight': [0] }],
    ['a head that the base lacks', { 'classifier.weight': [0] }],
    ['a factor', { 'bert.encoder.layer.0.query.lora_B.weight': [0] }],
    ['a factor with one size left', { 'bert.encoder.layer.0.query.lora_A.weight': [2, 0] }],
  ] as readonly (readonly [string, Entries])[])('are an incomplete save: %s', (_, entries) => {
    const [name] = Object.keys(entries) as [string];
    const config = { modules_to_save: ['classifier', 'pooler'] };
    const error = refusal(() => bert('zero3', entries, config));
    expect(error.message).toContain(`zero3.safetensors is an incomplete save: "${name}" is empty`);
    expect(error.hint).toContain('stage3_gather_16bit_weights_on_model_save');
  });

  it('are none where the base’s has no numbers either', () => {
    const empty = tensors('base', { 'q.weight': [4, 4], 'pooler.weight': [0, 4] });
    const one = adapter(
      'one',
      { ...linear('q', 4, 4), 'pooler.weight': [0, 4] },
      { modules_to_save: ['pooler'] },
    );
    const [plan] = planAdapters({ base: empty, adapters: [one] }).adapters;
    expect([...plan!.replaced.keys()]).toEqual(['pooler.weight']);
  });
});

describe('convolutions in groups', () => {
  const conv = tensors('net', { 'conv.weight': [16, 4, 3, 3], 'depthwise.weight': [8, 1, 5] });
  it.each([
    ['as PEFT makes them', [4, 8, 3, 3], [16, 2, 1, 1], 'conv'],
    ['without groups in lora_B', [4, 8, 3, 3], [16, 4, 1, 1], 'conv'],
    ['depthwise', [8, 8, 5], [8, 1, 1], 'depthwise'],
  ])('are refused: %s', (_, a, b, module) => {
    const entries = { [`${module}.lora_A.weight`]: a, [`${module}.lora_B.weight`]: b };
    const error = refusal(() => adapter('task', entries, { r: a[0] }), conv);
    expect(error.kind).toBe('unsupported');
    expect(error.message).toContain(`"${module}" of task is a convolution in groups`);
  });
});
