/** The files of a merged model, their headers and exact sizes, as they would be written. */
import { type FloatDtype } from '@/tensor/dtype';
import { sortedNames } from '@/formats/lora/merged-products';
import { type SafetensorsDtype } from '@/tensor/safetensors-dtype';
import {
  buildSafetensorsHeader,
  entryBytes,
  type HeaderEntry,
  type WrittenHeader,
} from './safetensors-writer';

export interface MergedFileSpec {
  /** Every tensor of the base, in its order; `CheckpointTensors.tensors` fits. */
  readonly baseTensors: ReadonlyMap<
    string,
    { readonly dtype: SafetensorsDtype; readonly shape: readonly number[] }
  >;
  /** Dtype of a merged tensor, or of a tied copy of one; undefined for those that stay the base's. */
  readonly dtypeOf?: (name: string) => FloatDtype | undefined;
  /**
   * Names of copies and the merged tensor each is a copy of; default: none. The index tells them,
   * under `metadata.tied`, so that whoever applies a sparse vector lets the copies follow.
   */
  readonly tied?: ReadonlyMap<string, string>;
  /** The merge part of the recipe, as it stands under `__metadata__.peru`. */
  readonly recipeJson: string;
  /** Most bytes of tensors in one file, unless a single tensor is larger; MAX_SHARD_BYTES. */
  readonly maxShardBytes?: number;
}

/** One file of the model's weights. */
export interface MergedShard {
  /** `merged.safetensors`, or `merged-00001-of-00003.safetensors`. */
  readonly name: string;
  readonly entries: readonly HeaderEntry[];
  readonly header: WrittenHeader;
}

/** As huggingface_hub cuts models (`MAX_SHARD_SIZE`, "5GB"). */
const MAX_SHARD_BYTES = 5e9;

/** The name under which transformers looks for a map from tensors to files. */
export const MERGED_INDEX = 'model.safetensors.index.json';

/**
 * The model's files: the base's names, order and shapes, cut where the next tensor would make a
 * file too large. Each carries the recipe, and `format`, which transformers asks for.
 */
export function mergedShards(spec: MergedFileSpec): MergedShard[] {
  const groups = shardEntries(mergedEntries(spec), spec.maxShardBytes ?? MAX_SHARD_BYTES);
  const metadata = new Map([
    ['format', 'pt'],
    ['peru', spec.recipeJson],
  ]);
  return groups.map((entries, index) => ({
    name: shardName(index, groups.length),
    entries,
    header: buildSafetensorsHeader(entries, metadata),
  }));
}

/**
 * `model.safetensors.index.json` as transformers writes it: names sorted, two spaces deep. Written
 * for a single file too, whose name transformers would not find.
 */
export function mergedIndex(
  shards: readonly MergedShard[],
  tied: ReadonlyMap<string, string> = new Map(),
): string {
  const fileOf = new Map(
    shards.flatMap(({ name, entries }) => entries.map((entry) => [entry.name, name] as const)),
  );
  const totalBytes = shards.reduce((sum, { entries }) => {
    return entries.reduce((bytes, entry) => bytes + entryBytes(entry), sum);
  }, 0);
  // Built as text, not as an object, which would reorder names like "0".
  const lines = sortedNames(fileOf.keys()).map((name) => {
    return `    ${JSON.stringify(name)}: ${JSON.stringify(fileOf.get(name))}`;
  });
  const map = lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n  }`;
  return `{\n  "metadata": {\n    "total_size": ${totalBytes}${tiedEntry(tied)}\n  },\n  "weight_map": ${map}\n}\n`;
}

function tiedEntry(tied: ReadonlyMap<string, string>): string {
  if (tied.size === 0) return '';
  const pairs = sortedNames(tied.keys()).map((copy) => {
    return `      ${JSON.stringify(copy)}: ${JSON.stringify(tied.get(copy))}`;
  });
  return `,\n    "tied": {\n${pairs.join(',\n')}\n    }`;
}

/** The weights' files and the index, with their exact bytes. */
export function mergedFileSizes(
  spec: MergedFileSpec,
): { readonly name: string; readonly bytes: number }[] {
  const shards = mergedShards(spec);
  const index = new TextEncoder().encode(mergedIndex(shards, spec.tied)).length;
  return [
    ...shards.map(({ name, header }) => ({ name, bytes: header.fileBytes })),
    { name: MERGED_INDEX, bytes: index },
  ];
}

function mergedEntries({ baseTensors, dtypeOf }: MergedFileSpec): HeaderEntry[] {
  return [...baseTensors].map(([name, { dtype, shape }]) => {
    return { name, dtype: dtypeOf?.(name) ?? dtype, shape };
  });
}

/** At least one group, none of them empty unless there are no tensors at all. */
function shardEntries(entries: readonly HeaderEntry[], maxBytes: number): HeaderEntry[][] {
  const shards: HeaderEntry[][] = [[]];
  let room = maxBytes;
  for (const entry of entries) {
    const bytes = entryBytes(entry);
    if (bytes > room && shards.at(-1)!.length > 0) {
      shards.push([]);
      room = maxBytes;
    }
    shards.at(-1)!.push(entry);
    room -= bytes;
  }
  return shards;
}

function shardName(index: number, count: number): string {
  if (count === 1) return 'merged.safetensors';
  const digits = (n: number): string => String(n).padStart(5, '0');
  return `merged-${digits(index + 1)}-of-${digits(count)}.safetensors`;
}
