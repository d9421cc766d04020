/** Adapters as they fit a base: what planning gives and reading takes. */
import { type StoredTensor } from '@/tensor/checkpoint-tensors';

/** A factor in its file, not read yet. */
export interface FactorLocation {
  readonly tensor: StoredTensor;
  /** `rows`: [rank, length]; `columns`: [length, rank]; as in `Factor`. */
  readonly vectors: 'rows' | 'columns';
}

/**
 * `linear`: weight [out, in]. `conv1d`: GPT-2's, [in, out], so that PEFT adds the transpose of its
 * product. `embedding`: [count, dim], also transposed. A convolution is told by the weight's shape.
 */
export type AdaptedLayer =
  | 'linear'
  | 'conv1d'
  | 'embedding'
  /** [out, in, ...kernel] */
  | { readonly convolution: readonly number[] };

/** What one module adds to one tensor of the base: scale * left rightᵀ. */
export interface AdapterModule {
  /** Name of the base's tensor. */
  readonly weight: string;
  /** The weight as a matrix; a convolution's is [out, in * height * width]. */
  readonly rows: number;
  readonly columns: number;
  /** What PEFT takes it for. */
  readonly layer: AdaptedLayer;
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
  /** All tensors it brings whole, as its file has them, by their names in the adapted model. */
  readonly copies: ReadonlyMap<string, StoredTensor>;
  /**
   * Trained copies (modules_to_save, biases) by the base's tensor they stand for, of its shape
   * and under its name.
   * A module's product is added to the copy where its weight has one.
   */
  readonly replaced: ReadonlyMap<string, StoredTensor>;
  /** Copies that stand for no tensor of the base, or for one that not all have alike. */
  readonly own: readonly OwnCopy[];
  /** Copies that are a second time what an embedding's is: the base ties the head to it. */
  readonly tied: readonly TiedCopy[];
  /** By each tensor of the base that it changes or replaces, its name in the adapted model. */
  readonly names: ReadonlyMap<string, string>;
  /** How its names become the base's; none where they are the same. */
  readonly nameChanges: readonly AdapterNameChange[];
  /** Whether it was made for the kind of model that the base is; null where that is not told. */
  readonly isSameKind: boolean | null;
  /** Parts that wrappers have left in the names of its file, e.g. `_orig_mod`. */
  readonly wrappers: readonly string[];
  /** Bytes of its safetensors file. */
  readonly byteLength: number;
  /** Elements of its factors and copies. */
  readonly parameterCount: number;
}

/** A tensor that a task keeps whole beside its factors, and that is never merged. */
export interface OwnCopy {
  /** Its name in the model that was adapted. */
  readonly path: string;
  /** Under the base's name where the base has one, else under `path`. */
  readonly tensor: StoredTensor;
  /** Of the base's tensor; null where the base has none. */
  readonly baseShape: readonly number[] | null;
  /**
   * `not-in-base`; `tied`: the base has it as its embedding; `other-shape` than the base's; or of
   * the base's shape, but `other-shape-elsewhere`: another adapter's differs.
   */
  readonly why: 'not-in-base' | 'tied' | 'other-shape' | 'other-shape-elsewhere';
}

export interface TiedCopy {
  /** The head's name in the adapted model; the embedding's. */
  readonly path: string;
  readonly embedding: string;
}

/** Names that begin with `from` begin with `to` in the base; a part `#` stands for a number. */
export interface AdapterNameChange {
  readonly from: string;
  readonly to: string;
  /** Layers themselves are called otherwise, not only what stands before them. */
  readonly inLayers: boolean;
  /** Names of the adapter, as the adapted model has them. */
  readonly names: readonly string[];
}

export interface AdapterPlan {
  readonly adapters: readonly PlannedAdapter[];
  /** Base tensors to which any adapter adds a product, sorted bytewise. */
  readonly adaptedWeights: readonly string[];
  /** Base tensors of which any adapter brings its own copy to merge, sorted bytewise. */
  readonly replacedTensors: readonly string[];
  /**
   * By the base's tensor, its name in the model that all adapters were made for; empty where that
   * is not one and the same, and the merged adapter takes the base's names.
   */
  readonly adaptedNames: ReadonlyMap<string, string>;
}
