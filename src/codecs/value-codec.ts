/** How kept values are stored, as engines, export and readers ask it of any dtype. */
import { type TensorInfo } from '@/tensor/safetensors-header';

export interface ValueCodec {
  /** On the page. */
  readonly title: string;
  /** In a model card: what "kept values are stored as". */
  readonly card: string;
  /** Of one stored value. */
  readonly bytesPerValue: 1 | 2 | 4;
  /** File of shaders/shared/ that stores values on a GPU (`stored_bits`) and loads them (`loaded_bits`). */
  readonly wgsl: string;
  /**
   * Factors of a tensor's values from the largest |u| it keeps, a float32 (NaN where one is kept);
   * null where values stand for themselves.
   */
  readonly scaleOf: ((largest: number) => ValueScale) | null;
  /** What a sparse file holds of a tensor's values; positions come after them. */
  readonly entries: (name: string, kept: number) => readonly StoredEntry[];
  /**
   * @param values u, float32
   * @param scale of the tensor; null where `scaleOf` is
   * @returns stored values, little-endian
   */
  readonly encode: (values: Float32Array, scale: ValueScale | null) => Uint8Array<ArrayBuffer>;
  /** What a loader reads back of one u, a float32: `decode` of `encode`. */
  readonly loaded: (u: number, scale: ValueScale | null) => number;
  /**
   * @param step of the tensor, a float32; null where `scaleOf` is
   * @returns float32 values to add
   */
  readonly decode: (
    bytes: Uint8Array<ArrayBuffer>,
    step: number | null,
  ) => Float32Array<ArrayBuffer>;
}

/** Factors of q = round(u * inverse) and value = q * step; both float32, both 0 where step is. */
export interface ValueScale {
  readonly inverse: number;
  readonly step: number;
}

/** What a selection's values are stored by: by tensor; one that keeps none has step 0 and gain 1. */
export interface KeptScales {
  /** Null where the codec has no steps. */
  readonly scales: readonly ValueScale[] | null;
  /** `norm-gain.ts`, part of the scales already; null where values are not rescaled. */
  readonly gains: readonly number[] | null;
}

/** A tensor of a sparse file. */
type StoredEntry = Pick<TensorInfo, 'name' | 'dtype' | 'shape'>;
