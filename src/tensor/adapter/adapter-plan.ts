/** Adapters as they are opened, and as they fit a base: what planning gives and reading takes. */
import { type CheckpointTensors, type StoredTensor } from '../checkpoint-tensors';
import { type AdapterConfig } from './config';

/** An adapter's files: the configuration, and the header of its weights. */
export interface OpenAdapter {
  readonly name: string;
  readonly config: AdapterConfig;
  readonly weights: CheckpointTensors;
}

/** A factor in its file, not read yet. */
export interface FactorLocation {
  readonly tensor: StoredTensor;
  /** `rows`: [rank, length]; `columns`: [length, rank]; as in `Factor`. */
  readonly vectors: 'rows' | 'columns';
}

/** What one module adds to one tensor of the base: scale * left rightᵀ. */
export interface AdapterModule {
  /** Name of the base's tensor. */
  readonly weight: string;
  /** The weight as a matrix; a convolution's is [out, in * height * width]. */
  readonly rows: number;
  readonly columns: number;
  readonly rank: number;
  readonly scale: number;
  /** `rows` long vectors. */
  readonly left: FactorLocation;
  /** `columns` long vectors. */
  readonly right: FactorLocation;
}

export interface PlannedAdapter {
  readonly name: string;
  /** In the order of the base's tensor names, sorted bytewise. */
  readonly modules: readonly AdapterModule[];
  /**
   * Trained copies (modules_to_save, biases) by the base's tensor they stand for, of its shape
   * and under its name.
   * A module's product is added to the copy where its weight has one.
   */
  readonly replaced: ReadonlyMap<string, StoredTensor>;
  /** Bytes of its safetensors file. */
  readonly byteLength: number;
  /** Elements of its factors and copies. */
  readonly parameterCount: number;
}

export interface AdapterPlan {
  readonly adapters: readonly PlannedAdapter[];
  /** Base tensors to which any adapter adds a product, sorted bytewise. */
  readonly adaptedWeights: readonly string[];
  /** Base tensors of which any adapter brings its own copy, sorted bytewise. */
  readonly replacedTensors: readonly string[];
}
