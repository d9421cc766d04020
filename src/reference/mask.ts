/** Twin of shaders/mask.wgsl. */
import { isKept, type ScopeThreshold } from './select';

/**
 * Sets one bit for each kept entry of a run.
 *
 * @param mask bit i & 31 of word i >> 5 stands for flat entry i
 * @param flatStart flat index of the run's first entry
 */
export function markKept(
  mask: Uint32Array,
  flatStart: number,
  keys: Uint32Array,
  threshold: ScopeThreshold,
  firstPosition: number,
): void {
  for (let i = 0; i < keys.length; i++) {
    if (!isKept(threshold, keys[i]!, firstPosition + i)) continue;
    const flat = flatStart + i;
    mask[Math.floor(flat / 32)]! |= 1 << (flat % 32);
  }
}
