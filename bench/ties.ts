/** How much of the data a selection reads once more to cut ties. */
import { type WeightGroup } from '@/tensor/engine';
import { type Chunk } from '@/tensor/layout';
import { selectOne } from '@/tensor/one-selection.fixture';

/**
 * Elements of the chunks up to the one that holds the last kept entry at the threshold, or 0 where
 * all or none of those entries are kept. Looked for in memory, by magnitude.
 */
export async function tieElements(
  group: WeightGroup,
  chunks: readonly Chunk[],
  task: number,
  percent: number,
): Promise<number> {
  const selection = await selectOne(group, 'merged', task, 'global', percent);
  const mask = await group.keptMask(selection);
  selection.dispose();
  const u = await magnitudes(group, task);
  const isKept = (flat: number): boolean => ((mask[flat >>> 5]! >>> (flat & 31)) & 1) === 1;
  let [lowestKept, highestLeft, lastTie] = [Infinity, -1, -1];
  u.forEach((magnitude, flat) => {
    if (!isKept(flat)) {
      highestLeft = Math.max(highestLeft, magnitude);
    } else if (magnitude <= lowestKept) {
      [lowestKept, lastTie] = [magnitude, flat];
    }
  });
  if (lowestKept !== highestLeft) return 0;
  const last = chunks.find(({ flatStart, elementCount }) => lastTie < flatStart + elementCount)!;
  return last.flatStart + last.elementCount;
}

/** |theta_t - theta*| of every entry, flat. */
async function magnitudes(group: WeightGroup, task: number): Promise<Float32Array> {
  const center = await group.materialize({ kind: 'merged' }, 'cpu');
  const moved = await group.materialize({ kind: 'task', task }, 'cpu');
  const u = new Float32Array(group.layout.elementCount);
  for (const { name, flatStart, elementCount } of group.layout.tensors) {
    const from = center.tensors.get(name)!.data as Float32Array;
    const to = moved.tensors.get(name)!.data as Float32Array;
    for (let i = 0; i < elementCount; i++) u[flatStart + i] = Math.abs(to[i]! - from[i]!);
  }
  center.dispose();
  moved.dispose();
  return u;
}
