/** Bases and adapters of few layers, and what the plan calls them. */
import { expect } from 'vitest';
import { type AdapterPlan } from '@/formats/lora/adapter-plan';
import { adapterNameFindings } from '@/plan/findings/adapter-names';
import { adapter, type Entries, linear, tensors } from './adapters.fixture';
import { planAdapters } from './plan-adapters';

/** Layers as a base has them, `#` being their numbers: [out, in] each. */
export function layers(
  shapes: Readonly<Record<string, readonly [number, number]>>,
  count = 2,
): Entries {
  const entries = Object.entries(shapes).flatMap(([name, shape]) =>
    Array.from({ length: count }, (_, i) => [`${name.replace('#', String(i))}.weight`, shape]),
  );
  return Object.fromEntries(entries) as Entries;
}

/** Factors for the same layers. */
export function factors(shapes: Parameters<typeof layers>[0], count = 2): Entries {
  return Object.assign(
    {},
    ...Object.entries(layers(shapes, count)).map(([name, [out, inputs]]) =>
      linear(name.replace(/\.weight$/, ''), out as number, inputs as number),
    ),
  ) as Entries;
}

export function plan(
  base: Entries,
  entries: Entries,
  config: object = {},
  baseConfig = {},
): AdapterPlan {
  const adapters = [adapter('task', entries, config)];
  return planAdapters({ base: tensors('base', base), adapters, baseConfig });
}

/** The base's name by the adapter's. */
function matched({ adapters }: AdapterPlan): Record<string, string> {
  return Object.fromEntries([...adapters[0]!.names].map(([base, own]) => [own, base]));
}

export function expectMatch(
  base: Entries,
  entries: Entries,
  pairs: Record<string, string>,
): AdapterPlan {
  const found = plan(base, entries);
  expect(matched(found)).toMatchObject(pairs);
  expect(new Set(Object.values(matched(found))).size).toBe(Object.keys(matched(found)).length);
  return found;
}

export const titles = (found: AdapterPlan): string[] =>
  adapterNameFindings(found).map(({ level, title }) => `${level}: ${title}`);
