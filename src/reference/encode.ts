/** Float64 twin of shaders/kept_*.wgsl: kept entries of a tensor as bytes to write, run by run. */
import { encodeGaps } from '@/codecs/gaps';
import { type KeptScales, type ValueCodec } from '@/codecs/value-codec';
import { type EncodedTensor } from '@/tensor/engine';
import { isKept, type ScopeThreshold } from './select';

/** A run of one tensor, and what decides which of its entries are kept. */
export interface SelectedPiece {
  readonly piece: {
    readonly tensor: number;
    /** Position of the run's first entry in the tensor. */
    readonly tensorStart: number;
    /** Task vector, float32. */
    readonly u: Float32Array;
    readonly keys: Uint32Array;
  };
  readonly threshold: ScopeThreshold;
  /** Position of the run's first entry in its scope. */
  readonly first: number;
}

/**
 * Every tensor that keeps any, in order.
 *
 * @param pieces in flat order
 */
export function* encodePieces(
  pieces: Iterable<SelectedPiece>,
  codec: ValueCodec,
  scales: KeptScales,
): Generator<EncodedTensor> {
  let encoder = new TensorEncoder(0);
  for (const selected of pieces) {
    const { tensor } = selected.piece;
    if (encoder.tensor !== tensor) {
      yield* encoder.finish(codec, scales);
      encoder = new TensorEncoder(tensor);
    }
    encoder.add(selected);
  }
  yield* encoder.finish(codec, scales);
}

/** Collects one tensor's kept entries, in order. */
class TensorEncoder {
  private readonly positions: number[] = [];
  private readonly values: number[] = [];

  constructor(readonly tensor: number) {}

  add({ piece: { tensorStart, u, keys }, threshold, first }: SelectedPiece): void {
    for (let i = 0; i < u.length; i++) {
      if (!isKept(threshold, keys[i]!, first + i)) continue;
      this.positions.push(tensorStart + i);
      this.values.push(u[i]!);
    }
  }

  /** Nothing where nothing was kept. */
  *finish(codec: ValueCodec, { scales, gains }: KeptScales): Generator<EncodedTensor> {
    const { tensor, values } = this;
    if (values.length === 0) return;
    const scale = scales?.[tensor] ?? null;
    yield {
      tensor,
      kept: values.length,
      gaps: encodeGaps(this.positions),
      values: codec.encode(Float32Array.from(values), scale),
      scale: scale?.step ?? null,
      gain: gains?.[tensor] ?? 1,
    };
  }
}
