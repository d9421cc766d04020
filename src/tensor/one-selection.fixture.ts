/** For tests and benchmarks: one selection alone, as jobs ask for several at once. */
import { type Center, type Scope, type Selection, type WeightGroup } from './engine';

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
