/** A file of LoRA factors by itself, without the model it changes: what every spelling is read to. */
import { type RepoSource } from '@/formats/checkpoint/checkpoint-source';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { type Spelling } from './spelling';

/** Headers and configuration; no factor is read yet. */
export interface LoraFile {
  /** Unique among those that are open: a file's name without its ending, or its folder's. */
  readonly name: string;
  /** What messages call the file. */
  readonly label: string;
  readonly repo: RepoSource;
  /** Of its weights, inside the repo. */
  readonly weightsPath: string;
  /** In the order of the file, by their first tensor. */
  readonly modules: readonly LoraFileModule[];
  /** What belongs to no module, in the order of the file: written again byte for byte. */
  readonly carried: readonly StoredTensor[];
  /** Names of all tensors, in the order of the file. */
  readonly order: readonly string[];
  /** Of most modules. */
  readonly spelling: Spelling;
  /** `__metadata__` of the file. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The configuration beside it; null for a file that stands alone. */
  readonly config: LoraFileConfig | null;
  /** Of the file. */
  readonly byteLength: number;
}

export interface LoraFileConfig {
  readonly kind: 'peft' | 'mlx';
  readonly path: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface LoraFileModule {
  /** As the file calls it. */
  readonly key: string;
  readonly spelling: Spelling;
  /** [out, rank], and ones behind for a convolution; MLX: [rank, out]. */
  readonly up: StoredTensor;
  /** [rank, in], of a convolution [rank, in, ...kernel]; MLX: [in, rank]. */
  readonly down: StoredTensor;
  /** [rank, rank, ...kernel] of a Tucker product, whose down is 1 x 1. */
  readonly mid: StoredTensor | null;
  /** One number; null where the file has none for this module. */
  readonly alpha: StoredTensor | null;
  /** [out], added to what up gives and scaled with it, as PEFT's `lora_bias` has it; null: none. */
  readonly bias: StoredTensor | null;
  /** Factor of up down where there is no alpha: what a configuration says, or 1. */
  readonly configuredScale: number;
  readonly rank: number;
  /** The weight as a matrix [out, in * kernel]. */
  readonly rows: number;
  readonly columns: number;
  /** What follows the rank in a plain down: [in, ...kernel]. */
  readonly inputShape: readonly number[];
}

/** Whether its weight is a convolution's, be its kernel one point: as sd-scripts tells them apart. */
export function isConvolution({ inputShape }: Pick<LoraFileModule, 'inputShape'>): boolean {
  return inputShape.length > 1;
}
