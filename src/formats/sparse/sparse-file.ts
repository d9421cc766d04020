/**
 * What a sparse vector's file says of itself (contract: "TASK.sparse.safetensors"), from its header
 * alone. The file is hostile until proven sound, as every file is.
 */
import { partName, wholeName } from '@/codecs/sparse-parts';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { isValueDtype, type ValueDtype } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import { type SafetensorsHeader, type TensorInfo } from '@/tensor/safetensors-header';

export const SPARSE_FORMAT = 'peru-sparse';
/** The one version there is. */
export const SPARSE_VERSION = 1;

export interface SparseFile {
  /** For messages. */
  readonly fileName: string;
  /** SHA-256 of the merged model it is added to, 64 hex digits in lower case (`mergedSha`). */
  readonly mergedSha256: string;
  /** m, in percent. */
  readonly keptPercent: number;
  /** Kept entries of all tensors. */
  readonly kept: number;
  /** The recipe that made it, as it stands there: JSON, not looked into. */
  readonly recipe: string;
  readonly valueDtype: ValueDtype;
  /** By the name of the merged model's tensor, in the order of the header. */
  readonly tensors: ReadonlyMap<string, SparseTensor>;
  /** Tensors that the task keeps whole, by their own names. */
  readonly own: ReadonlyMap<string, TensorInfo>;
  /**
   * Other names that the merged model has tensors of `own` by -> their names there: heads that are
   * the embedding, which follow the task's.
   */
  readonly tied: ReadonlyMap<string, string>;
}

/** Where one tensor's kept entries lie in the file. */
export interface SparseTensor {
  readonly name: string;
  readonly kept: number;
  readonly dtype: ValueDtype;
  readonly values: TensorInfo;
  readonly gaps: TensorInfo;
  /** Step of the values; null where their codec has none. */
  readonly scale: TensorInfo | null;
}

const EXPORT_AGAIN =
  'Download or copy the file again; if that does not help, export the task again in Peru.';

/** Whether a file says that it is a sparse vector. */
export function isSparseHeader({ metadata }: SafetensorsHeader): boolean {
  return metadata.get('format') === SPARSE_FORMAT;
}

/**
 * Checks everything that a header tells: the version, the facts, and that each tensor's values and
 * gaps come together.
 *
 * @throws PeruError `unsupported` for a newer version, `parse` for anything unsound, naming the file
 *   and the tensor
 */
export function readSparseFile(header: SafetensorsHeader): SparseFile {
  const { fileName, metadata } = header;
  const fail = failure(fileName);
  if (!isSparseHeader(header)) {
    throw fail(`its metadata do not say format=${SPARSE_FORMAT}, so it is no sparse vector`);
  }
  checkVersion(metadata.get('version'), fileName);
  const mergedSha256 = metadata.get('merged_sha256')?.toLowerCase() ?? '';
  if (!/^[0-9a-f]{64}$/.test(mergedSha256)) {
    throw fail('its merged_sha256 is not a hash of 64 hex digits');
  }
  const keptPercent = decimal(metadata.get('m'));
  if (keptPercent === null || keptPercent > 100) throw fail('its m is not a percentage');
  const kept = decimal(metadata.get('kept'));
  if (kept === null || !Number.isSafeInteger(kept)) throw fail('its kept is not a whole number');
  const { tensors, own } = sortTensors(header);
  const found = [...tensors.values()].reduce((sum, tensor) => sum + tensor.kept, 0);
  if (found !== kept) {
    throw fail(`its metadata say ${kept} kept entries, but its tensors hold ${found}`);
  }
  return {
    fileName,
    mergedSha256,
    keptPercent,
    kept,
    recipe: metadata.get('recipe') ?? '',
    valueDtype: oneDtype(tensors, fileName),
    tensors,
    own,
    tied: tiedNames(header, { tensors, own }),
  };
}

function tiedNames(
  { fileName, metadata }: SafetensorsHeader,
  { tensors, own }: Pick<SparseFile, 'tensors' | 'own'>,
): SparseFile['tied'] {
  const fail = failure(fileName);
  const pairs = jsonPairs(metadata.get('tied') ?? '{}');
  if (pairs === null) throw fail('its tied is no map from names to names');
  for (const [copy, name] of pairs) {
    if (!own.has(name)) throw fail(`it ties "${copy}" to "${name}", which it does not keep whole`);
    if (own.has(copy) || tensors.has(copy)) throw fail(`it ties "${copy}", but holds it, too`);
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

function failure(fileName: string): (what: string) => PeruError {
  return (what) => new PeruError('parse', `${fileName} is damaged: ${what}.`, EXPORT_AGAIN);
}

function checkVersion(version: string | undefined, fileName: string): void {
  if (version === String(SPARSE_VERSION)) return;
  if (version !== undefined && /^[1-9]\d*$/.test(version)) {
    throw new PeruError(
      'unsupported',
      `${fileName} is a sparse vector of version ${version.slice(0, 20)}; this page reads version ${SPARSE_VERSION}.`,
      'Reload the page to get the newest Peru, or export the task again with this one.',
    );
  }
  throw failure(fileName)('its metadata give no version');
}

/** A number that is not negative, written plainly; else null. */
function decimal(text: string | undefined): number | null {
  return text !== undefined && /^\d+(?:\.\d+)?(?:e-\d+)?$/.test(text) ? Number(text) : null;
}

function sortTensors(header: SafetensorsHeader): Pick<SparseFile, 'tensors' | 'own'> {
  const tensors = new Map<string, SparseTensor>();
  const parts = new Set<string>();
  for (const info of header.tensors.values()) {
    const name = wholeName(info.name, 'values');
    if (name === null) continue;
    const tensor = sparseTensor(header, name, info);
    tensors.set(tensor.name, tensor);
    parts.add(info.name).add(tensor.gaps.name);
    if (tensor.scale !== null) parts.add(tensor.scale.name);
  }
  const own = new Map([...header.tensors].filter(([name]) => !parts.has(name)));
  for (const name of own.keys()) {
    if (wholeName(name, 'gaps') === null) continue;
    throw failure(header.fileName)(`"${name}" has no values beside it`);
  }
  return { tensors, own };
}

function sparseTensor(header: SafetensorsHeader, name: string, values: TensorInfo): SparseTensor {
  const fail = failure(header.fileName);
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
  return { name, kept, dtype, values, gaps, scale };
}

function scaleBeside(header: SafetensorsHeader, name: string, dtype: ValueDtype): TensorInfo {
  const scaleName = partName(name, 'scale');
  const scale = header.tensors.get(scaleName);
  if (scale?.dtype === 'F32' && scale.elementCount === 1) return scale;
  throw failure(header.fileName)(
    `"${partName(name, 'values')}" is ${dtype} without an F32 "${scaleName}" beside it`,
  );
}

/** Dtype of all values; F16 where there are none. */
function oneDtype(tensors: SparseFile['tensors'], fileName: string): ValueDtype {
  const dtypes = new Set(Array.from(tensors.values(), ({ dtype }) => dtype));
  if (dtypes.size > 1) throw failure(fileName)(`its values mix ${[...dtypes].join(' and ')}`);
  return [...dtypes][0] ?? 'F16';
}
