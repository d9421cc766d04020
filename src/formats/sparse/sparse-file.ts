/**
 * What a sparse vector's file says of itself (contract: "TASK.sparse.safetensors"), from its header
 * alone. The file is hostile until proven sound, as every file is.
 */
import { partName, wholeName } from '@/codecs/sparse-parts';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { type ValueFormat } from '@/codecs/value-formats';
import { isValueDtype, type ValueDtype } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import { decodeFloats } from '@/tensor/half';
import { type SafetensorsHeader, type TensorInfo } from '@/tensor/safetensors-header';
import { type KeptTensor } from './kept-tensor';

export const SPARSE_FORMAT = 'peru-sparse';
/** Values one by one, in a dtype. */
export const SPARSE_VERSION = 1;
/** Packed values (`packed-sparse.ts`). */
export const PACKED_VERSION = 2;

/** What the metadata tell of either version. */
export interface SparseFacts {
  /** For messages. */
  readonly fileName: string;
  /** SHA-256 of the merged model it is added to, 64 hex digits in lower case (`mergedSha`). */
  readonly mergedSha256: string;
  /** m, in percent. */
  readonly keptPercent: number;
  /** Kept entries of all tensors. */
  readonly kept: number;
  /** The recipe that made it, as it stands there: JSON, not looked into. Version 2 has none. */
  readonly recipe: string;
}

export interface SparseFile extends SparseFacts {
  readonly valueFormat: ValueFormat;
  /** By the name of the merged model's tensor, in the order of the header. */
  readonly tensors: ReadonlyMap<string, KeptTensor>;
  /** Tensors that the task keeps whole, by their own names. */
  readonly own: ReadonlyMap<string, TensorInfo>;
  /**
   * Other names that the merged model has tensors of `own` by -> their names there: heads that are
   * the embedding, which follow the task's.
   */
  readonly tied: ReadonlyMap<string, string>;
}

const EXPORT_AGAIN =
  'Download or copy the file again; if that does not help, export the task again in Peru.';

/** Whether a file says that it is a sparse vector. */
export function isSparseHeader({ metadata }: SafetensorsHeader): boolean {
  return metadata.get('format') === SPARSE_FORMAT;
}

/**
 * Whether a sparse vector is packed (version 2), and so read with the merged model at hand.
 *
 * @throws PeruError `unsupported` for a newer version, `parse` where it gives none, or is no sparse vector
 */
export function isPackedHeader(header: SafetensorsHeader): boolean {
  const { fileName, metadata } = header;
  if (!isSparseHeader(header)) {
    throw damaged(
      fileName,
      `its metadata do not say format=${SPARSE_FORMAT}, so it is no sparse vector`,
    );
  }
  const version = metadata.get('version');
  if (version === String(PACKED_VERSION)) return true;
  if (version === String(SPARSE_VERSION)) return false;
  if (version !== undefined && /^[1-9]\d*$/.test(version)) {
    throw new PeruError(
      'unsupported',
      `${fileName} is a sparse vector of version ${version.slice(0, 20)}; this page reads versions ${SPARSE_VERSION} and ${PACKED_VERSION}.`,
      'Reload the page to get the newest Peru, or export the task again with this one.',
    );
  }
  throw damaged(fileName, 'its metadata give no version');
}

/** @throws PeruError `parse` for what is missing or can not be */
export function readSparseFacts({ fileName, metadata }: SafetensorsHeader): SparseFacts {
  const mergedSha256 = metadata.get('merged_sha256')?.toLowerCase() ?? '';
  if (!/^[0-9a-f]{64}$/.test(mergedSha256)) {
    throw damaged(fileName, 'its merged_sha256 is not a hash of 64 hex digits');
  }
  const keptPercent = decimal(metadata.get('m'));
  if (keptPercent === null || keptPercent > 100) {
    throw damaged(fileName, 'its m is not a percentage');
  }
  const kept = decimal(metadata.get('kept'));
  if (kept === null || !Number.isSafeInteger(kept)) {
    throw damaged(fileName, 'its kept is not a whole number');
  }
  return { fileName, mergedSha256, keptPercent, kept, recipe: metadata.get('recipe') ?? '' };
}

/**
 * Version 1. Checks everything that a header tells: the facts, and that each tensor's values and gaps
 * come together.
 *
 * @throws PeruError as `isPackedHeader`; `parse` for anything unsound, naming the file and the tensor
 */
export function readSparseFile(header: SafetensorsHeader): SparseFile {
  const { fileName } = header;
  if (isPackedHeader(header)) throw damaged(fileName, 'it is read as version 1, but is packed');
  const facts = readSparseFacts(header);
  const { tensors, own, dtypes } = sortTensors(header);
  const found = [...tensors.values()].reduce((sum, tensor) => sum + tensor.kept, 0);
  if (found !== facts.kept) {
    throw damaged(
      fileName,
      `its metadata say ${facts.kept} kept entries, but its tensors hold ${found}`,
    );
  }
  const tied = tiedNames(header, { tensors, own });
  return { ...facts, valueFormat: oneDtype(dtypes, fileName), tensors, own, tied };
}

/** @throws PeruError `parse` for names that the file does not keep whole, or holds */
export function tiedNames(
  { fileName, metadata }: SafetensorsHeader,
  { tensors, own }: Pick<SparseFile, 'tensors' | 'own'>,
): SparseFile['tied'] {
  const pairs = jsonPairs(metadata.get('tied') ?? '{}');
  if (pairs === null) throw damaged(fileName, 'its tied is no map from names to names');
  for (const [copy, name] of pairs) {
    if (!own.has(name)) {
      throw damaged(fileName, `it ties "${copy}" to "${name}", which it does not keep whole`);
    }
    if (own.has(copy) || tensors.has(copy)) {
      throw damaged(fileName, `it ties "${copy}", but holds it, too`);
    }
  }
  return pairs;
}

/** Null where the text is not one JSON object with texts for values. */
function jsonPairs(text: string): ReadonlyMap<string, string> | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const pairs = Object.entries(value);
  const isText = (pair: [string, unknown]): pair is [string, string] => typeof pair[1] === 'string';
  return pairs.every(isText) ? new Map(pairs) : null;
}

export function damaged(fileName: string, what: string): PeruError {
  return new PeruError('parse', `${fileName} is damaged: ${what}.`, EXPORT_AGAIN);
}

/** A number that is not negative, written plainly; else null. */
function decimal(text: string | undefined): number | null {
  return text !== undefined && /^\d+(?:\.\d+)?(?:e-\d+)?$/.test(text) ? Number(text) : null;
}

function sortTensors(header: SafetensorsHeader) {
  const tensors = new Map<string, KeptTensor>();
  const parts = new Set<string>();
  const dtypes = new Set<ValueDtype>();
  for (const info of header.tensors.values()) {
    const name = wholeName(info.name, 'values');
    if (name === null) continue;
    const stored = storedTensor(header, name, info);
    tensors.set(name, keptTensor(name, stored));
    dtypes.add(stored.dtype);
    for (const part of partsOf(stored)) parts.add(part.name);
  }
  const own = new Map([...header.tensors].filter(([name]) => !parts.has(name)));
  for (const name of own.keys()) {
    if (wholeName(name, 'gaps') === null) continue;
    throw damaged(header.fileName, `"${name}" has no values beside it`);
  }
  return { tensors, own, dtypes };
}

/** What a file of version 1 holds of one tensor. */
interface StoredKept {
  readonly dtype: ValueDtype;
  readonly values: TensorInfo;
  readonly gaps: TensorInfo;
  /** Step of the values; null where their codec has none. */
  readonly scale: TensorInfo | null;
}

function partsOf({ gaps, values, scale }: StoredKept): TensorInfo[] {
  return scale === null ? [gaps, values] : [gaps, values, scale];
}

function keptTensor(name: string, stored: StoredKept): KeptTensor {
  const { dtype, values } = stored;
  return {
    name,
    kept: values.elementCount,
    parts: partsOf(stored),
    read: ([gaps, bytes, scale]) => {
      const step = scale === undefined ? null : decodeFloats(scale, 'F32')[0]!;
      return { gaps: gaps!, values: bytes!, dtype, step };
    },
  };
}

function storedTensor(header: SafetensorsHeader, name: string, values: TensorInfo): StoredKept {
  const fail = (what: string): PeruError => damaged(header.fileName, what);
  const gaps = header.tensors.get(partName(name, 'gaps'));
  if (gaps === undefined) throw fail(`"${values.name}" has no gaps beside it`);
  if (gaps.dtype !== 'U8' || gaps.shape.length !== 1) {
    throw fail(`"${gaps.name}" is not a row of U8`);
  }
  const { dtype } = values;
  if (!isValueDtype(dtype)) {
    throw fail(`"${values.name}" holds ${dtype}, in which kept values are not stored`);
  }
  if (values.shape.length !== 1) throw fail(`"${values.name}" is not a row`);
  const kept = values.elementCount;
  if (kept > gaps.elementCount) {
    throw fail(`"${name}" has ${kept} values, but only ${gaps.elementCount} bytes of gaps`);
  }
  const scale = VALUE_CODECS[dtype].scaleOf === null ? null : scaleBeside(header, name, dtype);
  return { dtype, values, gaps, scale };
}

function scaleBeside(header: SafetensorsHeader, name: string, dtype: ValueDtype): TensorInfo {
  const scaleName = partName(name, 'scale');
  const scale = header.tensors.get(scaleName);
  if (scale?.dtype === 'F32' && scale.elementCount === 1) return scale;
  throw damaged(
    header.fileName,
    `"${partName(name, 'values')}" is ${dtype} without an F32 "${scaleName}" beside it`,
  );
}

/** Dtype of all values; F16 where there are none. */
function oneDtype(dtypes: ReadonlySet<ValueDtype>, fileName: string): ValueDtype {
  if (dtypes.size > 1) throw damaged(fileName, `its values mix ${[...dtypes].join(' and ')}`);
  return [...dtypes][0] ?? 'F16';
}
