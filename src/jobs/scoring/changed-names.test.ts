import { expect, it } from 'vitest';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { type GroupPlan } from '@/plan/plan-group';
import { changedNames } from './changed-names';

/** Only the names are looked at. */
function checkpoint(...names: readonly string[]): Pick<CheckpointTensors, 'tensors'> {
  return { tensors: new Map(names.map((name) => [name, null])) } as unknown as CheckpointTensors;
}

it('is what any task has, by the base’s names, and nothing that only the base has', () => {
  const own = [[], [{ baseName: 'kept.whole' }]];
  const details = { own } as unknown as GroupPlan['details'];
  const checkpoints = [checkpoint('a', 'b', 'base.only'), checkpoint('a'), checkpoint('a', 'b')];
  const names = changedNames({ plan: { details }, checkpoints });
  expect([...names].sort()).toEqual(['a', 'b', 'kept.whole']);
});
