/** A LoRA adapter as it was saved, whatever its format calls things: what every format is read to. */
import { type OpenOptions, type RepoSource } from '@/formats/checkpoint/checkpoint-source';
import { type CheckpointTensors, type StoredTensor } from '@/tensor/checkpoint-tensors';

/** Headers and configuration; no factor is read yet. */
export interface LoraAdapter {
  readonly name: string;
  /** In the order of the file. */
  readonly modules: readonly LoraModule[];
  /** Whole tensors by their names in the model that was adapted. */
  readonly copies: ReadonlyMap<string, StoredTensor>;
  /** Of `copies`, those that training was told to keep whole: heads, resized vocabularies. */
  readonly savedWhole: ReadonlySet<string>;
  /** Parts that wrappers have left in the names, each once. */
  readonly wrappers: readonly string[];
  readonly metadata: LoraMetadata;
  /** The file as it is. */
  readonly weights: CheckpointTensors;
}

/** What one module adds to its weight: scale * b a. */
export interface LoraModule {
  /** Its name in the model that was adapted, without `.weight`. */
  readonly path: string;
  /**
   * The weight is a table of rows that are looked up, as which its inputs are the rows, and b a is its
   * change's transpose; null where the format does not say, and only its place in the base can.
   */
  readonly isEmbedding: boolean | null;
  /** Both factors are stored as their transposes, a as [in, rank] and b as [rank, out]: matrices only. */
  readonly isTransposed: boolean;
  /** [rank, in], or of a convolution [rank, in, height, width]. */
  readonly a: StoredTensor;
  /** [out, rank], and 1 x 1 of a convolution. */
  readonly b: StoredTensor;
  readonly rank: number;
  readonly scale: number;
}

/** What a configuration says beside rank and scale; null where none says it. */
export interface LoraMetadata {
  /** For people only: it may name a folder on another machine. */
  readonly baseModel: string | null;
  /** Which of PEFT's model classes it was trained with. */
  readonly taskType: string | null;
  /** The class that was adapted, where no `taskType` tells. */
  readonly modelClass: ModelClass | null;
  /** Modules kept whole beside the factors, by the ends of their names. */
  readonly modulesToSave: readonly string[];
  /** A trained copy of an embedding is the head's table, too. */
  readonly tiesWeights: boolean;
  /** Square weights are stored [in, out], where no other weight tells; null: the base must tell. */
  readonly isFanInFanOut: boolean | null;
}

export interface ModelClass {
  /** E.g. `ViTModel`. */
  readonly name: string;
  /** E.g. `transformers.models.vit.modeling_vit`. */
  readonly library: string;
}

/** One way of saving adapters, listed in `adapter-formats.ts`. */
export interface AdapterFormat {
  /** Names of its files inside the adapter's folder. */
  readonly files: { readonly weights: string; readonly config: string };
  /** Whether a folder that holds these files holds an adapter, complete. */
  recognises(has: (name: string) => boolean): boolean;
  /** Whether a file of this name in that folder is an adapter's, as it is or as it was, and no checkpoint. */
  ownsWeights(name: string, has: (name: string) => boolean): boolean;
  /**
   * Of a folder with such an adapter's files but not all of them, nor a whole one of another format.
   *
   * @throws PeruError `source` for what is missing, `unsupported` for a pickle
   */
  refuseIncomplete(folder: string, names: readonly string[]): void;
  /**
   * Reads the configuration and the header of the weights.
   *
   * @throws PeruError `source` for missing files, `parse` for broken ones, `unsupported` for what is
   *   no plain LoRA, `mismatch` for adapters without modules, incomplete, or of other ranks than
   *   they say
   */
  open(source: RepoSource, options?: OpenOptions): Promise<LoraAdapter>;
}

/** A repo that holds an adapter. */
export interface AdapterSource extends RepoSource {
  readonly format: AdapterFormat;
}

/** The files that make it up, by their paths inside the repo. */
export function adapterPaths({ format: { files } }: AdapterSource): readonly string[] {
  return [files.config, files.weights];
}
