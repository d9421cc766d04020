/** Float64 twin of shaders/apply.wgsl. */
import { isKept, type ScopeThreshold } from './select';

/**
 * center + the stored value of u where kept, the center's own bits elsewhere (PERU-FFT, arXiv 2310.01886, eq. 4).
 *
 * @param out one value an entry, filled here; starts as a copy of the center
 * @param u task vector, float32, as long as `out`
 * @param firstPosition position of the first entry in its scope
 * @param valueOf what a loader reads back of a stored u (`ValueCodec.loaded`)
 */
export function applyKept(
  out: Float32Array,
  u: Float32Array,
  keys: Uint32Array,
  threshold: ScopeThreshold,
  firstPosition: number,
  valueOf: (u: number) => number,
): void {
  for (let i = 0; i < out.length; i++) {
    if (!isKept(threshold, keys[i]!, firstPosition + i)) continue;
    out[i] = out[i]! + valueOf(u[i]!);
  }
}
