/** What holds of every plan, whatever the files hold: each tensor has one place, and the same one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PeruError } from '@/core/errors';
import { type SafetensorsDtype } from '@/tensor/safetensors-dtype';
import { type PlannedCheckpoint, type PlannedTensor } from './checkpoint-facts';
import { groupFindings } from './findings/group-findings';
import { plannedTensor } from './headers.fixture';
import { inBaseNames } from './in-base-names';
import { type GroupOfCheckpoints, type GroupPlan, planGroup } from './plan-group';
import { tensorTally } from './tensor-tally';

const NAMES = [
  'shared.weight',
  'encoder.embed_tokens.weight',
  'decoder.embed_tokens.weight',
  'lm_head.weight',
  'encoder.layers.0.fc.weight',
  'encoder.layers.1.fc.weight',
  'decoder.layers.0.fc.weight',
  'decoder.layers.0.norm.gamma',
  'decoder.layers.0.norm.weight',
  'classifier.weight',
  'position_ids',
  '__proto__',
];

const dtype = fc.constantFrom<SafetensorsDtype[]>('F32', 'F32', 'F32', 'F16', 'BF16');
/** Mostly as in the other files: strangers are refused, and nothing is learnt of plans. */
const tensor: fc.Arbitrary<PlannedTensor | null> = fc.oneof(
  { weight: 24, arbitrary: dtype.map((one) => plannedTensor(one, [4, 2])) },
  { weight: 1, arbitrary: dtype.map((one) => plannedTensor(one, [5, 2])) },
  { weight: 1, arbitrary: fc.constant(plannedTensor('F32', [0, 2])) },
  { weight: 1, arbitrary: fc.constant(plannedTensor('I64', [1])) },
  { weight: 3, arbitrary: fc.constant(null) },
);

const file = (name: string): fc.Arbitrary<PlannedCheckpoint> =>
  fc
    .record({
      names: fc.shuffledSubarray(NAMES, { minLength: NAMES.length }),
      tensors: fc.array(tensor, { minLength: NAMES.length, maxLength: NAMES.length }),
      prefix: fc.constantFrom('', '', '', 'model.', 'encoder.'),
    })
    .map(({ names, tensors, prefix }) => {
      const held = names.map((one, i) => [prefix + one, tensors[i] ?? null] as const);
      return { name, tensors: new Map(held.flatMap(([key, one]) => (one ? [[key, one]] : []))) };
    });

const glob = fc.constantFrom('*', '*norm*', 'encoder.*', '*weight', 'nothing');
const group: fc.Arbitrary<GroupOfCheckpoints> = fc.record({
  base: file('base'),
  tasks: fc.tuple(file('a'), file('b')).map((tasks) => tasks.slice()),
  patterns: fc.record({
    include: fc.array(glob, { maxLength: 1, size: 'small' }),
    exclude: fc.array(glob, { maxLength: 1, size: 'small' }),
  }),
  configs: fc.constantFrom([], [{ model_type: 't5' }], [{ tie_word_embeddings: false }]),
});

/** Null where the group is refused, which must be by an error that says so. */
function planned(one: GroupOfCheckpoints): GroupPlan | null {
  try {
    return planGroup(one);
  } catch (error) {
    if (error instanceof PeruError) return null;
    throw error;
  }
}

function check(one: GroupOfCheckpoints, plan: GroupPlan): void {
  const files = [one.base, ...one.tasks];
  const merged = plan.layout.tensors.map(({ name }) => name);
  const places = [...merged, ...plan.untouched, ...plan.tied.keys()];
  expect(places.sort()).toEqual([...one.base.tensors.keys()].sort());
  for (const name of plan.tied.values()) expect(merged).toContain(name);
  expect(plan.storedNames[0]!.size).toBe(0);
  let bytes = 0;
  files.forEach((checkpoint, index) => {
    const view = inBaseNames(checkpoint, plan.storedNames[index]!);
    for (const { name, shape } of plan.layout.tensors) {
      expect(view.tensors.get(name)!.shape).toEqual(shape);
      expect(view.tensors.get(name)!.dtype).toBe(plan.dtypeOf(index, name));
      bytes += view.tensors.get(name)!.byteLength;
    }
  });
  expect(bytes).toBe(plan.uploadBytes);
  one.tasks.forEach(({ tensors }, task) => {
    const read = merged.map((name) => plan.storedNames[task + 1]!.get(name) ?? name);
    const used = [...read, ...plan.own[task]!, ...plan.details.copies[task + 1]!];
    expect(new Set(used).size).toBe(used.length);
    for (const name of used) expect(tensors.has(name)).toBe(true);
    const floating = [...tensors].filter(([, one]) => one.dtype !== 'I64' && one.elementCount > 0);
    const left = floating.map(([name]) => name).filter((name) => !used.includes(name));
    // Only what the patterns, or another file's dtype, keep as the base has it.
    const { excluded, buffers } = plan.details;
    expect(left.length).toBeLessThanOrEqual(excluded.length + buffers.length);
  });
}

describe('every plan', () => {
  it('gives each tensor one place, reads what it says and reports it', () => {
    let plans = 0;
    fc.assert(
      fc.property(group, (one) => {
        const plan = planned(one);
        if (plan === null) return;
        plans++;
        check(one, plan);
        const models = [one.base, ...one.tasks].map(({ name }) => {
          return { name, config: null, tokenizerHash: null, licence: null };
        });
        expect(groupFindings({ plan, models }).length).toBeGreaterThan(0);
        expect(tensorTally(plan).mergedElements).toBe(plan.layout.elementCount);
      }),
      { numRuns: 1000 },
    );
    // Else nothing was checked.
    expect(plans).toBeGreaterThan(100);
  });

  it('does not depend on the order of tensors in the files', () => {
    fc.assert(
      fc.property(group, (one) => {
        const reversed = (checkpoint: PlannedCheckpoint): PlannedCheckpoint => ({
          ...checkpoint,
          tensors: new Map([...checkpoint.tensors].reverse()),
        });
        const [plan, other] = [
          planned(one),
          planned({ ...one, base: reversed(one.base), tasks: one.tasks.map(reversed) }),
        ];
        expect(other?.layout).toEqual(plan?.layout);
        expect(other?.own.map((names) => [...names].sort())).toEqual(
          plan?.own.map((names) => [...names].sort()),
        );
        expect([...(other?.tied ?? [])].sort()).toEqual([...(plan?.tied ?? [])].sort());
      }),
      { numRuns: 500 },
    );
  });
});
