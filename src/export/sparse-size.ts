/** Exact size of `TASK.sparse.safetensors` as it would be written, without writing it. */
import { type FloatDtype } from '@/tensor/dtype';
import { type FlatLayout } from '@/tensor/layout';
import { keptCosts, type TensorCost } from './kept-runs';
import { buildSafetensorsHeader, entryBytes, type HeaderEntry } from './safetensors-writer';

export interface SparseFileSpec {
  readonly layout: FlatLayout;
  /** Bit i & 31 of word i >> 5 is set where flat entry i is kept (`WeightGroup.keptMask`). */
  readonly mask: Uint32Array;
  /** Tensors the task keeps whole because they can not be merged, in file order; default: none. */
  readonly ownTensors?: readonly HeaderEntry[];
  /** Dtype of the values; F16 unless the visitor chose another. */
  readonly valueDtype: FloatDtype;
  /** m, in percent. */
  readonly keptPercent: number;
  /** The recipe, as it stands in the file. */
  readonly recipeJson: string;
  /** 64 hex digits; their length alone matters for the size. */
  readonly mergedSha256?: string;
}

export interface SparseFileSize {
  /** Bytes of the whole file. */
  readonly bytes: number;
  readonly kept: number;
  readonly gapBytes: number;
  readonly valueBytes: number;
  readonly ownBytes: number;
}

const SHA256_PLACEHOLDER = '0'.repeat(64);

export function sparseFileSize(spec: SparseFileSpec): SparseFileSize {
  const costs = keptCosts(spec.layout, spec.mask);
  const kept = sum(costs, (cost) => cost.kept);
  const gapBytes = sum(costs, (cost) => cost.gapBytes);
  const ownTensors = spec.ownTensors ?? [];
  const header = buildSafetensorsHeader(
    [...ownTensors, ...sparseEntries(costs, spec.valueDtype)],
    sparseMetadata({ ...spec, kept }),
  );
  const bytes = header.fileBytes;
  const ownBytes = sum(ownTensors, entryBytes);
  const valueBytes = bytes - header.bytes.length - gapBytes - ownBytes;
  return { bytes, kept, gapBytes, valueBytes, ownBytes };
}

/**
 * Entries of a sparse vector in file order: all values, then all gaps, so that values stay aligned
 * however many bytes the gaps take. Tensors kept whole stand before them under their own names.
 */
export function sparseEntries(costs: readonly TensorCost[], valueDtype: FloatDtype): HeaderEntry[] {
  const values = costs.map(({ name, kept }): HeaderEntry => ({
    name: `${name}.values`,
    dtype: valueDtype,
    shape: [kept],
  }));
  const gaps = costs.map((cost): HeaderEntry => ({
    name: `${cost.name}.gaps`,
    dtype: 'U8',
    shape: [cost.gapBytes],
  }));
  return [...values, ...gaps];
}

/** `__metadata__` of a sparse file. */
export function sparseMetadata(facts: {
  readonly keptPercent: number;
  readonly kept: number;
  readonly recipeJson: string;
  readonly mergedSha256?: string;
}): ReadonlyMap<string, string> {
  return new Map([
    ['format', 'peru-sparse'],
    ['version', '1'],
    ['merged_sha256', facts.mergedSha256 ?? SHA256_PLACEHOLDER],
    ['m', String(facts.keptPercent)],
    ['kept', String(facts.kept)],
    ['recipe', facts.recipeJson],
  ]);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
