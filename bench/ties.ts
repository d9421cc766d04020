/** Whether a selection had to cut ties, which costs one more read of the data. */
import { type WeightGroup } from '@/tensor/engine';

/** Looks in memory for entries of one magnitude of which some are kept and some are not. */
export async function cutsTies(
  group: WeightGroup,
  task: number,
  percent: number,
): Promise<boolean> {
  const selection = await group.select('merged', task, 'global', percent);
  const mask = await group.keptMask(selection);
  selection.dispose();
  const center = await group.materialize({ kind: 'merged' }, 'cpu');
  const moved = await group.materialize({ kind: 'task', task }, 'cpu');
  let [lowestKept, highestLeft] = [Infinity, -1];
  for (const { name, flatStart, elementCount } of group.layout.tensors) {
    const from = center.tensors.get(name)!.data as Float32Array;
    const to = moved.tensors.get(name)!.data as Float32Array;
    for (let i = 0, flat = flatStart; i < elementCount; i++, flat++) {
      const magnitude = Math.abs(Math.fround(to[i]! - from[i]!));
      if ((mask[flat >>> 5]! >>> (flat & 31)) & 1) lowestKept = Math.min(lowestKept, magnitude);
      else highestLeft = Math.max(highestLeft, magnitude);
    }
  }
  center.dispose();
  moved.dispose();
  return lowestKept === highestLeft;
}
