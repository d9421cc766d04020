import { describe, expect, it } from 'vitest';
import { planAdapters } from '@/plan/adapters/plan-adapters';
import { PEFT } from './peft-format';
import { denseDelta } from '@/reference/low-rank-delta';
import { type PlannedAdapter } from '@/formats/lora/adapter-plan';
import {
  allValues,
  GOLDEN_CASES,
  GOLDEN_REFUSED,
  goldenBase,
  goldenFile,
  goldenSource,
} from './golden-adapters.fixture';
import { readProducts } from '@/formats/lora/read-products';

/** Most that a merged weight may differ from peft's, which adds and multiplies in float32. */
const TOLERANCE = 1e-6;

/** base + delta in float64, on the adapter's own copies where it has them. */
async function adapted(
  base: ReadonlyMap<string, Float32Array>,
  adapter: PlannedAdapter,
): Promise<Map<string, Float64Array>> {
  const whole = new Map([...base, ...(await allValues(adapter.replaced))]);
  const weights = new Map(
    [...whole].map(([name, values]) => [name, Float64Array.from(values)] as const),
  );
  for (const product of await readProducts(adapter)) {
    const weight = weights.get(product.name)!;
    for (const [i, value] of denseDelta(product).entries()) weight[i]! += value;
  }
  return weights;
}

function worstDifference(a: Float64Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

describe('adapters saved by peft', () => {
  it('cover every kind Peru reads', () => {
    expect(GOLDEN_CASES.length).toBeGreaterThanOrEqual(32);
    expect(GOLDEN_REFUSED.length).toBeGreaterThanOrEqual(10);
  });

  it.each(GOLDEN_CASES)('%s changes the base as merge_and_unload does', async (name) => {
    const base = await goldenBase(`cases/${name}`);
    const plan = planAdapters({
      base,
      adapters: [await PEFT.open(goldenSource(`cases/${name}`))],
    });
    const before = await allValues(base.tensors);
    const changed = await allValues((await goldenFile(`cases/${name}/merged.safetensors`)).tensors);
    const after = await adapted(before, plan.adapters[0]!);
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    const touched = new Set([...plan.adaptedWeights, ...plan.replacedTensors]);
    for (const name of changed.keys()) expect(touched).toContain(name);
    for (const [tensor, values] of after) {
      const expected = changed.get(tensor) ?? before.get(tensor)!;
      expect(worstDifference(values, expected), tensor).toBeLessThan(TOLERANCE);
    }
  });

  it.each([
    ['dora', /sets use_dora: it is a DoRA adapter/],
    ['lora-bias', /sets lora_bias/],
    ['pissa', /init_lora_weights "pissa"/],
    ['olora', /init_lora_weights "olora"/],
    ['trainable-tokens', /sets trainable_token_indices/],
    ['target-parameters', /sets target_parameters/],
    ['ia3', /adapter of type "IA3"/],
    ['loha', /adapter of type "LOHA"/],
    ['adalora', /adapter of type "ADALORA"/],
    ['prefix-tuning', /adapter of type "PREFIX_TUNING"/],
  ])('%s is refused by name, with what to do', async (name, message) => {
    expect(GOLDEN_REFUSED).toContain(name);
    await expect(PEFT.open(goldenSource(`refused/${name}`))).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(/merge_and_unload|path_initial_model/) as string,
    });
  });
});
