import { describe, expect, it } from 'vitest';
import { type LoraAdapter } from '@/formats/lora/lora-adapter';
import { PeruError } from '@/core/errors';
import { adapter, type Entries, linear, tensors } from './adapters.fixture';
import { planAdapters } from './plan-adapters';

const base = tensors('base', {
  'vision_model.layers.0.q.weight': [5, 3],
  'vision_model.layers.0.q.bias': [5],
  'vision_model.layers.1.q.weight': [5, 3],
  'vision_model.embed.weight': [9, 3],
  'vision_model.conv.weight': [6, 3, 2, 4],
  'vision_model.square.weight': [4, 4],
  'vision_model.mlp.square.weight': [4, 3],
  'head.weight': [2, 5],
  ids: ['I64', 7],
  quantised: ['I8', 4, 4],
  'codes.weight': ['I8', 5, 3],
});
const q0 = 'vision_model.layers.0.q';
const q1 = 'vision_model.layers.1.q';

/** Of reading an adapter's tensors, or of fitting them to the base. */
function refusal(read: () => LoraAdapter): PeruError {
  try {
    planAdapters({ base, adapters: [read()] });
  } catch (error) {
    if (error instanceof PeruError) return error;
    throw error;
  }
  throw new Error('Not refused.');
}

function expectRefusal(
  read: () => LoraAdapter,
  kind: PeruError['kind'],
  ...parts: readonly (RegExp | string)[]
): void {
  const error = refusal(read);
  expect(error.message).toContain('task');
  for (const part of parts) expect(error.message).toMatch(part);
  expect(error.kind).toBe(kind);
  expect(error.hint.length).toBeGreaterThan(20);
}

describe('planAdapters', () => {
  it('says what each module adds, to which tensor, and how large the adapter is', () => {
    const task = adapter('task', { ...linear(q1, 5, 3), ...linear(q0, 5, 3) });
    const { adapters, adaptedWeights, replacedTensors } = planAdapters({ base, adapters: [task] });
    expect(adaptedWeights).toEqual([`${q0}.weight`, `${q1}.weight`]);
    expect(replacedTensors).toEqual([]);
    const [plan] = adapters;
    expect(plan!.modules[0]).toEqual({
      weight: `${q0}.weight`,
      rows: 5,
      columns: 3,
      layer: 'linear',
      rank: 2,
      scale: 2,
      left: { tensor: task.weights.tensors.get(`${q0}.lora_B.weight`), vectors: 'columns' },
      right: { tensor: task.weights.tensors.get(`${q0}.lora_A.weight`), vectors: 'rows' },
    });
    expect(plan!.parameterCount).toBe(2 * (2 * 3 + 5 * 2));
    expect(plan!.byteLength).toBe(task.weights.byteLength);
  });

  it('lets ranks and modules differ between adapters', () => {
    const one = adapter('one', linear(q0, 5, 3));
    const two = adapter('two', linear(q1, 5, 3, 7), { rank_pattern: { q: 7 } });
    const { adapters, adaptedWeights } = planAdapters({ base, adapters: [one, two] });
    expect(adapters.map(({ modules }) => modules.map(({ rank }) => rank))).toEqual([[2], [7]]);
    expect(adaptedWeights).toEqual([`${q0}.weight`, `${q1}.weight`]);
  });

  it.each([
    ['the same names', ''],
    ["peft's prefix", 'base_model.model.'],
    ['a wrapper around the model', 'base_model.model.backbone.'],
  ])('matches %s', (_, prefix) => {
    const task = adapter('task', linear(prefix + q0, 5, 3));
    expect(planAdapters({ base, adapters: [task] }).adaptedWeights).toEqual([`${q0}.weight`]);
  });

  it('deduces the part of the model that the adapter was trained on', () => {
    const task = adapter('task', {
      ...linear('base_model.model.layers.0.q', 5, 3),
      'base_model.model.layers.0.q.base_layer.bias': [5],
    });
    const plan = planAdapters({ base, adapters: [task] });
    expect(plan.adaptedWeights).toEqual([`${q0}.weight`]);
    expect(plan.replacedTensors).toEqual([`${q0}.bias`]);
    expect(plan.adapters[0]!.replaced.get(`${q0}.bias`)!.name).toBe(`${q0}.bias`);
  });

  it('tells two towers of the same names apart by their shapes, or says that it can not', () => {
    const towers = tensors('towers', {
      'a.q.weight': [5, 3],
      'b.q.weight': [5, 4],
      'c.q.weight': [5, 4],
    });
    const plan = planAdapters({ base: towers, adapters: [adapter('task', linear('q', 5, 3))] });
    expect(plan.adaptedWeights).toEqual(['a.q.weight']);
    expect(() =>
      planAdapters({ base: towers, adapters: [adapter('task', linear('q', 5, 4))] }),
    ).toThrow(/task fits several parts of towers: its names match behind "b\.", "c\."\./);
  });

  it('turns the update round for embeddings and for weights stored [in, out]', () => {
    const embedding = adapter('embedding', {
      'vision_model.embed.lora_embedding_A': [2, 9],
      'vision_model.embed.lora_embedding_B': [3, 2],
    });
    const [e] = planAdapters({ base, adapters: [embedding] }).adapters[0]!.modules;
    expect(e).toMatchObject({ rows: 9, columns: 3 });
    expect(e!.left).toMatchObject({ vectors: 'rows', tensor: { shape: [2, 9] } });
    expect(e!.right).toMatchObject({ vectors: 'columns', tensor: { shape: [3, 2] } });
    const conv1d = adapter('conv1d', linear(q0, 3, 5));
    const [c] = planAdapters({ base, adapters: [conv1d] }).adapters[0]!.modules;
    expect(c).toMatchObject({ rows: 5, columns: 3, left: { tensor: { shape: [2, 5] } } });
  });

  it('flattens convolutions', () => {
    const task = adapter('task', {
      'vision_model.conv.lora_A.weight': [2, 3, 2, 4],
      'vision_model.conv.lora_B.weight': [6, 2, 1, 1],
    });
    expect(planAdapters({ base, adapters: [task] }).adapters[0]!.modules[0]).toMatchObject({
      rows: 6,
      columns: 24,
      left: { vectors: 'columns' },
      right: { vectors: 'rows' },
    });
  });

  it('asks the other modules, then the configuration, which way round a square weight is', () => {
    const square = linear('vision_model.square', 4, 4);
    const leftShape = (entries: Entries, config: object) => {
      const task = adapter('task', entries, config);
      const { modules } = planAdapters({ base, adapters: [task] }).adapters[0]!;
      return modules.find(({ weight }) => weight === 'vision_model.square.weight')!.left.vectors;
    };
    expect(leftShape(square, { fan_in_fan_out: false })).toBe('columns');
    expect(leftShape(square, { fan_in_fan_out: true })).toBe('rows');
    expect(leftShape({ ...square, ...linear(q0, 3, 5) }, { fan_in_fan_out: false })).toBe('rows');
    expect(leftShape({ ...square, ...linear(q0, 5, 3) }, { fan_in_fan_out: true })).toBe('columns');
    // Modules of the same name come before all others.
    const mixed = { ...linear('vision_model.mlp.square', 3, 4), ...linear(q0, 5, 3) };
    expect(leftShape({ ...square, ...mixed }, { fan_in_fan_out: false })).toBe('rows');
    expectRefusal(
      () => adapter('task', { ...square, ...linear(q0, 5, 3), ...linear('head', 5, 2) }),
      'unsupported',
      /"vision_model\.square" is square/,
    );
  });

  it('takes whole tensors that the configuration names', () => {
    const entries = { ...linear(q0, 5, 3), 'head.weight': [2, 5], [`${q0}.bias`]: [5] };
    const task = adapter('task', entries, { modules_to_save: ['head'], bias: 'all' });
    const plan = planAdapters({ base, adapters: [task] });
    expect(plan.replacedTensors).toEqual(['head.weight', `${q0}.bias`]);
    expect(plan.adapters[0]!.parameterCount).toBe(16 + 10 + 5);
    expectRefusal(
      () => adapter('task', entries),
      'unsupported',
      /"head\.weight", which is no part/,
    );
  });

  it('takes embeddings that PEFT saves whole', () => {
    const model = tensors('tied', { 'q.weight': [5, 3], 'embed_tokens.weight': [9, 5] });
    const saved = { ...linear('q', 5, 3), 'embed_tokens.weight': [9, 5] };
    const plan = planAdapters({ base: model, adapters: [adapter('task', saved)] });
    expect(plan.replacedTensors).toEqual(['embed_tokens.weight']);
  });

  it("reads peft's double bias once, and leaves the base's own values alone", () => {
    const plain = { 'head.bias': [2] };
    const second = { 'head.modules_to_save.bias': ['F16', 2] as const };
    const withHead = tensors('base', { [`${q0}.weight`]: [5, 3], 'head.bias': [2] });
    for (const twice of [
      { ...plain, ...second },
      { ...second, ...plain },
    ]) {
      const original = { 'head.original_module.bias': [2] };
      const task = adapter('task', { ...linear(q0, 5, 3), ...twice, ...original });
      const [plan] = planAdapters({ base: withHead, adapters: [task] }).adapters;
      expect(plan!.replaced.get('head.bias')!.dtype).toBe('F32');
      expect(plan!.parameterCount).toBe(16 + 2);
    }
  });

  it('refuses an adapter for another base, with names of both sides', () => {
    expectRefusal(
      () => adapter('task', linear('bert.encoder.q', 5, 3)),
      'mismatch',
      /for another base: it changes "bert\.encoder\.q\.weight"; base has "vision_model/,
    );
  });

  it('refuses an adapter of which the base has a part only', () => {
    expectRefusal(
      () => adapter('task', { ...linear('layers.0.q', 5, 3), ...linear('layers.7.q', 5, 3) }),
      'mismatch',
      /base lacks tensors that task changes: "layers\.7\.q\.weight"\. It has 1 of the 2/,
    );
  });

  it('says so where the missing layer is one that models tie', () => {
    expectRefusal(
      () => adapter('task', { ...linear(q0, 5, 3), ...linear('lm_head', 9, 5) }),
      'mismatch',
      /"lm_head\.weight"\. In such a base these layers are tied/,
    );
  });

  it('refuses fused attention by name', () => {
    const fused = tensors('fused', {
      'attn.in_proj_weight': [12, 4],
      'attn.out_proj.weight': [4, 4],
    });
    for (const entries of [
      linear('attn', 12, 4),
      { ...linear('attn', 12, 4), ...linear('attn.out_proj', 4, 4) },
    ]) {
      expect(() => planAdapters({ base: fused, adapters: [adapter('task', entries)] })).toThrow(
        /"attn", an nn\.MultiheadAttention/,
      );
    }
  });

  it.each(['A', 'B'])('refuses a module without its lora_%s', (side) => {
    const entries = Object.fromEntries(
      Object.entries(linear(q0, 5, 3)).filter(([key]) => !key.includes(`lora_${side}`)),
    );
    const whole = { ...linear(q1, 5, 3), ...entries };
    expectRefusal(() => adapter('task', whole), 'mismatch', `lacks the lora_${side} of "${q0}"`);
  });

  it.each([
    ['linear', linear(q0, 6, 3), /\[2, 3\] and lora_B \[6, 2\] make no update of .* \[5, 3\]/],
    ['embedding', linear('vision_model.embed', 8, 3), /vision_model\.embed/],
    [
      'embedding read as such',
      {
        'vision_model.embed.lora_embedding_A': [2, 8],
        'vision_model.embed.lora_embedding_B': [3, 2],
      },
      /\[2, 8\]/,
    ],
    ['vector', linear('vision_model.layers.0.q', 5, 1), /\[2, 1\]/],
    ['convolution', linear('vision_model.conv', 6, 3), /\[6, 3, 2, 4\]/],
    [
      'kernel',
      {
        'vision_model.conv.lora_A.weight': [2, 3, 4, 2],
        'vision_model.conv.lora_B.weight': [6, 2, 1, 1],
      },
      /\[2, 3, 4, 2\]/,
    ],
    [
      'wide lora_B',
      {
        'vision_model.conv.lora_A.weight': [2, 3, 2, 4],
        'vision_model.conv.lora_B.weight': [6, 2, 3, 3],
      },
      /\[6, 2, 3, 3\]/,
    ],
  ] as const)('refuses shapes that do not fit: %s', (_, entries, message) => {
    expectRefusal(() => adapter('task', entries), 'mismatch', message, /does not fit base/);
  });

  it('refuses factors that do not belong together', () => {
    for (const b of [[5, 3], [5]]) {
      const entries = { ...linear(q0, 5, 3), [`${q0}.lora_B.weight`]: b };
      expectRefusal(() => adapter('task', entries), 'mismatch', /do not belong together/, q0);
    }
  });

  it("names both ranks where the file's is not the configuration's", () => {
    const task = () => adapter('task', linear(q0, 5, 3, 4));
    expectRefusal(task, 'mismatch', /rank 4 in its file, but its configuration says 2/);
    const patterned = () =>
      adapter('task', linear(q0, 5, 3), { rank_pattern: { 'layers.0.q': 3 } });
    expectRefusal(patterned, 'mismatch', /rank 2 in its file, but its configuration says 3/);
  });

  it.each(['I8', 'F64', 'F8_E4M3', 'U8'] as const)('refuses factors of %s', (dtype) => {
    const entries = { ...linear(q0, 5, 3), [`${q0}.lora_B.weight`]: [dtype, 5, 2] as const };
    expectRefusal(() => adapter('task', entries), 'unsupported', `lora_B.weight" as ${dtype}`);
  });

  it('refuses to adapt or replace quantised weights', () => {
    const error = refusal(() => adapter('task', linear('codes', 5, 3)));
    expect(error).toMatchObject({ kind: 'unsupported' });
    expect(error.message).toMatch(/base stores "codes\.weight".* as I8/);
  });

  it('refuses an adapter that adapts nothing', () => {
    expectRefusal(() => adapter('task', {}), 'mismatch', /adapts nothing/);
    const onlyBias = () => adapter('task', { [`${q0}.bias`]: [5] }, { bias: 'all' });
    expectRefusal(onlyBias, 'mismatch', /adapts nothing/);
  });

  it('refuses two adaptations of one module, and several adapters in one file', () => {
    const twice = { ...linear(q0, 5, 3), [`base_model.model.${q0}.lora_A.weight`]: [2, 3] };
    expectRefusal(() => adapter('task', twice), 'mismatch', /two adaptations/, q0);
    const mixed = { ...linear(q0, 5, 3), [`${q0}.lora_embedding_A`]: [2, 3] };
    expectRefusal(() => adapter('task', mixed), 'mismatch', /two adaptations/);
    const biases = { ...linear(q0, 5, 3), [`${q0}.bias`]: [5], [`${q0}.base_layer.bias`]: [5] };
    expectRefusal(() => adapter('task', biases), 'mismatch', /two adaptations/);
    const named = {
      [`${q0}.lora_A.one.weight`]: [2, 3],
      [`${q0}.lora_B.one.weight`]: [5, 2],
      [`${q1}.lora_A.two.weight`]: [2, 3],
      [`${q1}.lora_B.two.weight`]: [5, 2],
    };
    expectRefusal(() => adapter('task', named), 'unsupported', /several adapters.*"one", "two"/);
  });

  it('refuses factors that the configuration does not ask for', () => {
    const task = () =>
      adapter(
        'task',
        { ...linear(q0, 5, 3), ...linear(q1, 5, 3) },
        {
          target_modules: ['layers.0.q'],
        },
      );
    expectRefusal(task, 'mismatch', q1, /task\/adapter_config\.json does not target/);
  });

  it.each([
    [{ [`${q0}.lora_magnitude_vector`]: [5] }, /DoRA/],
    [{ [`${q0}.lora_B.bias`]: [5] }, /lora_bias/],
    [{ [`${q0}.hada_w1_a`]: [5, 2] }, /"vision_model\.layers\.0\.q\.hada_w1_a"/],
    [{ prompt_embeddings: [5, 2] }, /"prompt_embeddings"/],
  ])('never skips a tensor it does not know: %j', (extra, message) => {
    const task = () => adapter('task', { ...linear(q0, 5, 3), ...(extra as Entries) });
    expectRefusal(task, 'unsupported', message);
  });
});
