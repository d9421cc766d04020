/** Float64 twin of shaders/kept_max.wgsl and stats.wgsl: what steps and gains of kept values rest on. */
import { normGain, rescaled } from '@/codecs/norm-gain';
import { type KeptScales, type ValueCodec } from '@/codecs/value-codec';
import { type SelectedPiece } from './encode';
import { isKept } from './select';

export function keptScales(
  pieces: Iterable<SelectedPiece>,
  tensorCount: number,
  { scaleOf }: Pick<ValueCodec, 'scaleOf'>,
  isRescaled: boolean,
): KeptScales {
  if (scaleOf === null && !isRescaled) return { scales: null, gains: null };
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
  const gains = isRescaled ? Array.from(kept, (energy, t) => normGain(energy, total[t]!)) : null;
  const plain = scaleOf && Array.from(new Float32Array(largest.buffer), scaleOf);
  const scales = plain && gains ? plain.map((scale, t) => rescaled(scale, gains[t]!)) : plain;
  return { scales, gains };
}
