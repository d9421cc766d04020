import { expect } from 'vitest';
import { type Shapes } from './headers.fixture';
import { type GroupPlan } from './plan-group';

/** What a task's file must be called for each tensor: every one its own, under the base's name. */
export function expectFits(
  plan: GroupPlan,
  stored: Shapes,
  baseName: (name: string) => string,
): void {
  const expected = Object.keys(stored).map(baseName);
  expect(new Set(plan.layout.tensors.map(({ name }) => name))).toEqual(new Set(expected));
  for (const name of Object.keys(stored)) {
    expect(plan.storedNames[1]!.get(baseName(name)) ?? baseName(name)).toBe(name);
  }
}
