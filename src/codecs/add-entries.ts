import { type AddedEntries } from '@/tensor/engine';

/**
 * Adds decoded entries to weights in memory, in f32: about 12 bytes an entry, wherever it lies.
 *
 * @param flat by tensor of the layout
 */
export function addEntries(flat: readonly Float32Array[], entries: Iterable<AddedEntries>): void {
  for (const { tensor, positions, values } of entries) {
    const weights = flat[tensor]!;
    for (let i = 0; i < positions.length; i++) weights[positions[i]!]! += values[i]!;
  }
}
