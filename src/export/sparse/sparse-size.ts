/** Header and exact size of `TASK.sparse.safetensors`, version 1, as it would be written. */
import { partName } from '@/codecs/sparse-parts';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { type ValueDtype } from '@/tensor/dtype';
import { bitsPerElement } from '@/tensor/safetensors-dtype';
import { SPARSE_FORMAT, SPARSE_VERSION } from '@/formats/sparse/sparse-file';
import {
  buildSafetensorsHeader,
  type HeaderEntry,
  type WrittenHeader,
} from '@/export/safetensors-writer';

/** What one tensor's kept entries take beside their values. */
export interface TensorCost {
  readonly name: string;
  /** Entries kept, one value each. */
  readonly kept: number;
  /** Bytes of `NAME.gaps`. */
  readonly gapBytes: number;
}

/** A tensor that a task keeps whole. */
export interface OwnEntry extends HeaderEntry {
  /** Other names that the merged model has it by, copies there of a tensor that is not merged. */
  readonly copies?: readonly string[];
}

export interface SparseHeaderSpec {
  /** What each tensor with kept entries takes, in canonical order. */
  readonly costs: readonly TensorCost[];
  /** Tensors the task keeps whole because they can not be merged, in file order; default: none. */
  readonly ownTensors?: readonly OwnEntry[];
  /** Dtype of the values; F16 unless the visitor chose another. */
  readonly valueDtype: ValueDtype;
  /** m, in percent. */
  readonly keptPercent: number;
  /** The recipe, as it stands in the file. */
  readonly recipeJson: string;
  /** 64 hex digits; their length alone matters for the size. */
  readonly mergedSha256?: string;
}

/** What stands in a sparse file, and where. */
export interface SparseHeader {
  readonly entries: readonly HeaderEntry[];
  readonly header: WrittenHeader;
}

const SHA256_PLACEHOLDER = '0'.repeat(64);

/**
 * Tensors kept whole, under their own names; steps of values; values; gaps: then all of it by
 * the width of its elements, widest first, so that everything is aligned whatever it is.
 */
export function sparseHeader(spec: SparseHeaderSpec): SparseHeader {
  const kept = sum(spec.costs, (cost) => cost.kept);
  const entries = [...(spec.ownTensors ?? []), ...sparseEntries(spec.costs, spec.valueDtype)];
  entries.sort((a, b) => bitsPerElement(b.dtype) - bitsPerElement(a.dtype));
  const metadata = sparseMetadata({ ...spec, version: SPARSE_VERSION, kept });
  return { entries, header: buildSafetensorsHeader(entries, metadata) };
}

/** What is stored of each tensor, one kind after the other: all steps, all values, all gaps. */
function sparseEntries(costs: readonly TensorCost[], valueDtype: ValueDtype): HeaderEntry[] {
  const byTensor = costs.map(({ name, kept, gapBytes }): readonly HeaderEntry[] => [
    ...VALUE_CODECS[valueDtype].entries(name, kept),
    { name: partName(name, 'gaps'), dtype: 'U8', shape: [gapBytes] },
  ]);
  const kinds = byTensor[0] ?? [];
  return kinds.flatMap((_, kind) => byTensor.map((entries) => entries[kind]!));
}

/** `__metadata__` of a sparse file of either version. */
export function sparseMetadata(facts: {
  readonly version: number;
  readonly keptPercent: number;
  readonly kept: number;
  /** Of packed values. */
  readonly values?: string;
  /** Left out where it would take more bytes than the values: beside them lies recipe.json. */
  readonly recipeJson?: string;
  readonly mergedSha256?: string;
  readonly ownTensors?: readonly OwnEntry[];
}): ReadonlyMap<string, string> {
  const tied = tiedPairs(facts.ownTensors ?? []);
  return new Map([
    ['format', SPARSE_FORMAT],
    ['version', String(facts.version)],
    ['merged_sha256', facts.mergedSha256 ?? SHA256_PLACEHOLDER],
    ['m', String(facts.keptPercent)],
    ['kept', String(facts.kept)],
    ...(facts.values === undefined ? [] : [['values', facts.values] as const]),
    ...(tied === null ? [] : [['tied', tied] as const]),
    ...(facts.recipeJson === undefined ? [] : [['recipe', facts.recipeJson] as const]),
  ]);
}

/** As in the merged model's index: JSON, from each copy to what it is a copy of. Null for none. */
function tiedPairs(ownTensors: readonly OwnEntry[]): string | null {
  const pairs = ownTensors.flatMap(({ name, copies = [] }) =>
    copies.map((copy) => `${JSON.stringify(copy)}:${JSON.stringify(name)}`),
  );
  return pairs.length === 0 ? null : `{${pairs.join(',')}}`;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
