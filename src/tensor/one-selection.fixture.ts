/** For tests and benchmarks: one selection alone, as jobs ask for several at once. */
import {
  type Center,
  type KeptCount,
  type Scope,
  type Selection,
  type SelectionStats,
  type WeightGroup,
} from './engine';

/** The selection of one percentage. */
export async function selectOne(
  group: WeightGroup,
  center: Center,
  task: number,
  scope: Scope,
  percent: number,
): Promise<Selection> {
  const [selection] = await group.select(center, task, scope, [percent]);
  return selection!;
}

export async function statsOf(group: WeightGroup, selection: Selection): Promise<SelectionStats> {
  const [measure] = await group.measure([selection]);
  return measure!.stats;
}

export async function countsOf(
  group: WeightGroup,
  selection: Selection,
): Promise<readonly KeptCount[]> {
  const [measure] = await group.measure([selection]);
  return measure!.counts;
}
