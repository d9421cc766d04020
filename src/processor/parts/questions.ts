/** What the engine asks threads about task vectors, and what they answer: plain data. */
import { type ValueDtype } from '@/tensor/dtype';
import { type Center } from '@/tensor/engine';
import { type KeptScales } from '@/codecs/value-codec';

/** Whose task vector is looked at. */
export interface DeltaOf {
  readonly center: Center;
  readonly task: number;
}

/** A run of bits of a key: `bins` is two to the power of how many. */
export interface Digit {
  readonly shift: number;
  readonly bins: number;
}

/** Keys to count by one digit. */
export interface DigitCount {
  readonly digit: Digit;
  /** One scope a tensor, else one for all. */
  readonly perTensor: boolean;
  /** More significant digits found so far, by scope; keys that have others are not counted. */
  readonly prefixes: Uint32Array;
  /** `bins` counts a scope, to be added to. */
  readonly counts: Uint32Array<ArrayBuffer>;
}

/** Of one selection what decides, without looking at other entries, which are kept. */
export interface Thresholds {
  readonly perTensor: boolean;
  /** By scope: keys above it are kept, keys below are not. */
  readonly keys: Uint32Array;
  /** By scope: entries at the threshold are kept up to this position in it, itself included. */
  readonly tieLimits: Float64Array;
}

/** Larger than the key of any float, NaN included. */
export const ABOVE_EVERY_KEY = 0xffff_ffff;

/** What a selection keeps in some chunks of a part. */
export interface PartMeasure {
  readonly kept: number;
  /** Kept entries whose u is not zero. */
  readonly nonZero: number;
  /** Sums of squares in float64, of the kept u and of all, block by block. */
  readonly keptEnergies: Float64Array<ArrayBuffer>;
  readonly totalEnergies: Float64Array<ArrayBuffer>;
  /** A run of one tensor in one chunk each, in order, those that keep none left out. */
  readonly runs: readonly KeptRun[];
}

/** Kept entries of one tensor in one part of one chunk. */
export interface KeptRun {
  readonly tensor: number;
  readonly kept: number;
  /** Positions of the first and the last in the tensor. */
  readonly first: number;
  readonly last: number;
  /** Bytes of the gaps after the first entry's own. */
  readonly gapBytes: number;
}

/** A run as bytes to write; the gap before its first entry is left to who knows the run before. */
export interface EncodedRun extends KeptRun {
  readonly gaps: Uint8Array<ArrayBuffer>;
  readonly values: Uint8Array<ArrayBuffer>;
}

/** Of what a selection keeps in some chunks of a part, by tensor. */
export interface PartScales {
  /** The largest key; 0 where none is kept. */
  readonly largest: Uint32Array;
  /** Sums of squares in float64, of the kept u and of all; zeros where they were not asked for. */
  readonly keptEnergies: Float64Array;
  readonly totalEnergies: Float64Array;
}

/** How kept values are stored. */
export interface StoredAs extends KeptScales {
  readonly valueDtype: ValueDtype;
}
