/** Float64 twin of shaders/kept_max.wgsl and stats.wgsl: what steps of kept values rest on. */
import { normGain, rescaled } from '@/codecs/norm-gain';
import { type ValueCodec, type ValueScale } from '@/codecs/value-codec';
import { type SelectedPiece } from './encode';
import { isKept } from './select';

/** @returns by tensor; one that keeps none has step 0 */
export function keptScales(
  pieces: Iterable<SelectedPiece>,
  tensorCount: number,
  scaleOf: NonNullable<ValueCodec['scaleOf']>,
  isRescaled: boolean,
): ValueScale[] {
  const largest = new Uint32Array(tensorCount);
  const [kept, total] = [new Float64Array(tensorCount), new Float64Array(tensorCount)];
  for (const { piece, threshold, first } of pieces) {
    const { tensor, keys, u } = piece;
    for (let i = 0; i < u.length; i++) {
      total[tensor]! += u[i]! ** 2;
      if (!isKept(threshold, keys[i]!, first + i)) continue;
      kept[tensor]! += u[i]! ** 2;
      largest[tensor] = Math.max(largest[tensor]!, keys[i]!);
    }
  }
  const scales = Array.from(new Float32Array(largest.buffer), scaleOf);
  if (!isRescaled) return scales;
  return scales.map((scale, t) => rescaled(scale, normGain(kept[t]!, total[t]!)));
}
