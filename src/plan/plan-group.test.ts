import { describe, expect, it } from 'vitest';
import { PeruError } from '@/core/errors';
import { bitsPerElement, type SafetensorsDtype } from '@/tensor/safetensors-dtype';
import { type PlannedCheckpoint } from './checkpoint-facts';
import { planGroup } from './plan-group';

type Entry = readonly [dtype: SafetensorsDtype, ...shape: number[]];

function checkpoint(name: string, entries: Readonly<Record<string, Entry>>): PlannedCheckpoint {
  const tensors = Object.entries(entries).map(([tensor, [dtype, ...shape]]) => {
    const elementCount = shape.reduce((a, b) => a * b, 1);
    const byteLength = (elementCount * bitsPerElement(dtype)) / 8;
    return [tensor, { dtype, shape, elementCount, byteLength }] as const;
  });
  return { name, tensors: new Map(tensors) };
}

const fullClip = checkpoint('clip', {
  logit_scale: ['F32'],
  'text_model.weight': ['F32', 10, 4],
  'vision_model.z': ['F32', 3, 4],
  'vision_model.a': ['F32', 5],
  'vision_model.position_ids': ['I64', 1, 5],
});
const visionOnly = (name: string, dtype: SafetensorsDtype): PlannedCheckpoint =>
  checkpoint(name, { 'vision_model.z': [dtype, 3, 4], 'vision_model.a': [dtype, 5] });

/** The refusal of a group: kind and the names its message must hold, and a next step. */
function expectRefusal(
  group: Parameters<typeof planGroup>[0],
  kind: PeruError['kind'],
  parts: readonly (string | RegExp)[],
): void {
  const error = refusalOf(group);
  expect(error.kind).toBe(kind);
  for (const part of parts) expect(error.message).toMatch(part);
  expect(error.hint.length).toBeGreaterThan(10);
}

function refusalOf(group: Parameters<typeof planGroup>[0]): PeruError {
  try {
    planGroup(group);
  } catch (error) {
    if (error instanceof PeruError) return error;
    throw error;
  }
  throw new Error('Not refused.');
}

describe('planGroup', () => {
  it('merges what the fine-tunes hold and leaves the rest of the base untouched', () => {
    const plan = planGroup({
      base: fullClip,
      tasks: [visionOnly('mnist', 'F16'), visionOnly('dtd', 'BF16')],
    });
    expect(plan.layout.tensors.map(({ name }) => name)).toEqual([
      'vision_model.a',
      'vision_model.z',
    ]);
    expect(plan.layout.elementCount).toBe(17);
    expect(plan.untouched).toEqual([
      'logit_scale',
      'text_model.weight',
      'vision_model.position_ids',
    ]);
    const dtypes = [0, 1, 2].map((index) => plan.dtypeOf(index, 'vision_model.a'));
    expect(dtypes).toEqual(['F32', 'F16', 'BF16']);
    expect(plan.uploadBytes).toBe(17 * (4 + 2 + 2));
    expect(() => plan.dtypeOf(0, 'vision_model.position_ids')).toThrow(RangeError);
    expect(() => plan.dtypeOf(3, 'vision_model.a')).toThrow(RangeError);
  });

  it('gives the facts of each checkpoint, integers not counted as parameters', () => {
    const { checkpoints } = planGroup({ base: fullClip, tasks: [visionOnly('mnist', 'F16')] });
    expect(checkpoints).toEqual([
      { parameterCount: 58, dtypes: ['F32', 'I64'], tensorCount: 5, tensorBytes: 58 * 4 + 40 },
      { parameterCount: 17, dtypes: ['F16'], tensorCount: 2, tensorBytes: 34 },
    ]);
  });

  it('allows mixed dtypes in one file, zero-size tensors, and F64 that nothing touches', () => {
    const base = checkpoint('base', { a: ['F32', 4], e: ['F32', 0, 9], far: ['F64', 2] });
    const task = checkpoint('task', { a: ['BF16', 4], e: ['F16', 0, 9] });
    const plan = planGroup({ base, tasks: [task] });
    expect(plan.layout.elementCount).toBe(4);
    expect(plan.layout.tensors).toHaveLength(2);
    expect(plan.dtypeOf(1, 'e')).toBe('F16');
    expect(plan.untouched).toEqual(['far']);
  });

  it('ignores integer tensors only a fine-tune has', () => {
    const task = checkpoint('task', { a: ['F32', 2], position_ids: ['I64', 3] });
    const plan = planGroup({ base: checkpoint('base', { a: ['F32', 2] }), tasks: [task] });
    expect(plan.layout.elementCount).toBe(2);
  });

  it('refuses a lone model', () => {
    expectRefusal({ base: fullClip, tasks: [] }, 'mismatch', [/clip stands alone/]);
  });

  it('refuses another architecture, saying what each has', () => {
    const bert = checkpoint('bert', { 'bert.weight': ['F32', 3] });
    expectRefusal({ base: fullClip, tasks: [bert] }, 'mismatch', [
      /bert shares no tensor with the base clip/,
      /"bert.weight"/,
      /"logit_scale".* and 2 more/,
    ]);
  });

  it('refuses a model of which most is not in the base, by name and count', () => {
    const extra = Object.fromEntries(
      Array.from({ length: 9 }, (_, i) => [`head.${i}`, ['F32', 2] as Entry]),
    );
    const task = checkpoint('task', { 'vision_model.a': ['F32', 5], ...extra });
    expectRefusal({ base: fullClip, tasks: [task] }, 'mismatch', [
      /task shares only 21 % of its numbers with the base clip/,
      /"head.0", "head.1", "head.2" and 6 more/,
    ]);
  });

  it('refuses other shapes, also when they hold as many elements', () => {
    const task = checkpoint('task', {
      'vision_model.z': ['F32', 4, 3],
      'vision_model.a': ['F32', 5],
    });
    expectRefusal({ base: fullClip, tasks: [task] }, 'mismatch', [
      /"vision_model.z" is \[4, 3\] instead of \[3, 4\]/,
    ]);
  });

  it('refuses fine-tunes of different parts of the base', () => {
    const text = checkpoint('text', { 'text_model.weight': ['F32', 10, 4] });
    expectRefusal({ base: fullClip, tasks: [text, visionOnly('vision', 'F32')] }, 'mismatch', [
      /No tensor stands in clip and all of text, vision/,
    ]);
  });

  it.each(['F64', 'F8_E4M3', 'F8_E5M2', 'F4', 'C64'] as const)('refuses to merge %s', (dtype) => {
    const base = checkpoint('base', { a: ['F32', 2] });
    const task = checkpoint('task', { a: [dtype, 2] });
    expectRefusal({ base, tasks: [task] }, 'unsupported', [
      new RegExp(`task stores.* ${dtype}: "a"`),
      /F32, F16 and BF16/,
    ]);
    expectRefusal({ base: task, tasks: [base] }, 'unsupported', [/task stores/]);
  });

  it('refuses a base that has integers where the fine-tune has numbers', () => {
    const base = checkpoint('quantised', { a: ['I8', 2], b: ['F32', 1] });
    const task = checkpoint('task', { a: ['F32', 2], b: ['F32', 1] });
    expectRefusal({ base, tasks: [task] }, 'unsupported', [/quantised stores.*I8: "a"/]);
  });

  it('refuses quantised codes where the base has numbers, also packed into another shape', () => {
    const base = checkpoint('base', { a: ['F32', 8], b: ['F32', 9] });
    for (const codes of [['I8', 8] as const, ['U8', 4, 1] as const]) {
      const task = checkpoint('quantised', { a: codes, b: ['F32', 9] });
      expectRefusal({ base, tasks: [task] }, 'unsupported', [/quantised stores.*8: "a"/]);
      // Whoever leaves them out may merge the rest.
      const patterns = { include: [], exclude: ['a'] };
      expect(planGroup({ base, tasks: [task], patterns }).untouched).toEqual(['a']);
    }
  });

  it('offers to leave out what alone keeps a group from being merged', () => {
    const base = checkpoint('base', {
      'h.0.q': ['F32', 2],
      'h.1.q': ['F32', 2],
      'h.0.k': ['F32', 2],
      'h.1.k': ['F32', 2],
    });
    const task = checkpoint('task', {
      'h.0.q': ['F64', 2],
      'h.1.q': ['F64', 2],
      'h.0.k': ['F32', 2],
      'h.1.k': ['F64', 2],
    });
    const offered = refusalOf({ base, tasks: [task] }).exclude;
    expect(offered).toEqual(['h.*.q', 'h.1.k']);
    const patterns = { include: [], exclude: offered };
    expect(planGroup({ base, tasks: [task], patterns }).layout.tensors).toHaveLength(1);
    // Without all there is nothing left to merge.
    const whole = checkpoint('whole', { 'h.0.q': ['F64', 2] });
    expect(refusalOf({ base, tasks: [whole] }).exclude).toEqual([]);
  });

  it('keeps buffers of the base, whatever kind of numbers a fine-tune has for them', () => {
    const weight: Entry = ['F32', 2];
    const group = (base: Entry, task: Entry, name: string) => ({
      base: checkpoint('base', { weight, [name]: base }),
      tasks: [checkpoint('task', { weight, [name]: task })],
    });
    for (const [base, task, name] of [
      [['I64', 1, 77], ['F16', 1, 77], 'embeddings.position_ids'],
      [['F32', 1, 1, 4, 4], ['BOOL', 1, 1, 4, 4], 'h.0.attn.bias'],
      [['F32', 1, 1, 4, 4], ['U8', 1, 1, 4, 4], 'layers.0.attention.bias'],
      [['I64'], ['F32'], 'norm.num_batches_tracked'],
      [['F32', 4, 4], ['I64', 4, 4], 'attn.relative_position_index'],
      [['F32', 4], ['BF16', 4], 'rotary_emb.inv_freq'],
      [['F64', 4], ['F32', 4], 'rotary_emb.inv_freq'],
      [['F64', 4], ['F64', 4], 'rotary_emb.inv_freq'],
    ] as const) {
      const plan = planGroup(group(base, task, name));
      expect(plan.untouched).toEqual([name]);
      expect(plan.own).toEqual([[]]);
      expect(plan.details.buffers).toEqual([name]);
    }
    // In one dtype they are equal, or somebody trained them.
    const alike = group(['F16', 4], ['F16', 4], 'rotary_emb.inv_freq');
    expect(planGroup(alike).untouched).toEqual([]);
    // A bias that is learned has one dimension.
    const learned = group(['F32', 4], ['U8', 4], 'h.0.attn.bias');
    expectRefusal(learned, 'unsupported', [/task stores.*U8/]);
  });

  it.each([
    ['task', 0, 3],
    ['base', 3, 0],
  ])('refuses a tensor that only the %s has without numbers', (empty, ofTask, ofBase) => {
    const base = checkpoint('base', { a: ['F32', 4], 'norm.weight': ['F32', ofBase] });
    const task = checkpoint('task', { a: ['F32', 4], 'norm.weight': ['F32', ofTask] });
    const refusal = refusalOf({ base, tasks: [task] });
    expect(refusal.kind).toBe('mismatch');
    expect(refusal.message).toMatch(new RegExp(`"norm.weight" in ${empty} is empty`));
    expect(refusal.exclude).toEqual(['norm.weight']);
    const patterns = { include: [], exclude: ['norm.weight'] };
    const plan = planGroup({ base, tasks: [task], patterns });
    expect(plan.untouched).toEqual(['norm.weight']);
    expect(plan.own).toEqual([[]]);
  });

  it('leaves out empty tensors that the base lacks, and says so', () => {
    const base = checkpoint('base', { a: ['F32', 4] });
    const task = checkpoint('task', { a: ['F32', 4], 'lm_head.weight': ['F32', 0] });
    const plan = planGroup({ base, tasks: [task] });
    expect(plan.own).toEqual([[]]);
    expect(plan.details.empty).toEqual([['lm_head.weight']]);
  });

  it('refuses checkpoints without floating numbers', () => {
    const ids = checkpoint('ids', { a: ['I64', 2] });
    expectRefusal({ base: ids, tasks: [ids] }, 'mismatch', [/ids holds no floating numbers/]);
    const empty = checkpoint('empty', { a: ['F32', 0] });
    expectRefusal({ base: empty, tasks: [empty] }, 'mismatch', [/empty holds no floating/]);
  });

  it('is not misled by names special in JavaScript', () => {
    const tensors = new Map([
      ['__proto__', { dtype: 'F32' as const, shape: [2], elementCount: 2, byteLength: 8 }],
    ]);
    const plan = planGroup({ base: { name: 'b', tensors }, tasks: [{ name: 't', tensors }] });
    expect(plan.layout.tensors[0]!.name).toBe('__proto__');
  });
});
