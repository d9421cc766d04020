/**
 * The rules of a safetensors header (huggingface/safetensors, README and `tensor.rs`): a JSON
 * object of tensors, each with a dtype, a shape and the range of its bytes; the ranges tile the
 * rest of the file completely, without holes or overlaps; `__metadata__` maps strings to strings.
 */
import { PeruError } from '@/core/errors';
import { bitsPerElement, isSafetensorsDtype, type SafetensorsDtype } from './safetensors-dtype';
import { parseStrictJson, type StrictJson, StrictJsonError } from '@/core/strict-json';

export interface TensorInfo {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly elementCount: number;
  /** First byte, counted from the start of the file; not always aligned to the dtype. */
  readonly byteStart: number;
  readonly byteLength: number;
}

export interface SafetensorsHeader {
  /** For messages. */
  readonly fileName: string;
  /** In the header's order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** `__metadata__`; empty when absent. */
  readonly metadata: ReadonlyMap<string, string>;
  /** First byte of the tensors' data. */
  readonly dataStart: number;
  /** Bytes of the whole file. */
  readonly byteLength: number;
}

/** The header, a tensor's entry, its shape: nothing deeper has a meaning. A margin for context. */
const MAX_DEPTH = 8;
const METADATA_KEY = '__metadata__';
const ENTRY_KEYS: ReadonlySet<string> = new Set(['dtype', 'shape', 'data_offsets']);
const SAVE_AGAIN =
  'Download the file again; if that does not help, save the checkpoint again with the safetensors package.';

/**
 * Checks a header against every rule of the format.
 *
 * @param bytes the header alone, without its 8 bytes of length
 * @param fileBytes bytes of the whole file
 * @throws PeruError `parse`, naming the file, the tensor and the rule it breaks
 */
export function parseHeader(
  bytes: Uint8Array,
  fileBytes: number,
  fileName: string,
): SafetensorsHeader {
  const dataStart = 8 + bytes.length;
  const root = headerObject(bytes, fileName);
  const tensors = new Map<string, TensorInfo>();
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of root) {
    if (name === METADATA_KEY) metadata = readMetadata(value, fileName);
    else tensors.set(name, readEntry(name, value, { fileName, dataStart, fileBytes }));
  }
  checkTiling([...tensors.values()], { fileName, dataStart, fileBytes });
  return { fileName, tensors, metadata, dataStart, byteLength: fileBytes };
}

interface FileFacts {
  readonly fileName: string;
  readonly dataStart: number;
  readonly fileBytes: number;
}

function broken(fileName: string, what: string, cause?: unknown): PeruError {
  return new PeruError('parse', `${fileName} is damaged: ${what}.`, SAVE_AGAIN, { cause });
}

function headerObject(bytes: Uint8Array, fileName: string): ReadonlyMap<string, StrictJson> {
  if (bytes[0] !== 0x7b) {
    throw broken(
      fileName,
      'its header does not start with "{", so it may not be safetensors at all',
    );
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw broken(fileName, 'its header is not valid UTF-8', cause);
  }
  try {
    const root = parseStrictJson(text, MAX_DEPTH);
    if (root instanceof Map) return root as ReadonlyMap<string, StrictJson>;
  } catch (cause) {
    if (!(cause instanceof StrictJsonError)) throw cause;
    const where = cause.path.length === 0 ? 'its header' : `the entry of "${cause.path[0]!}"`;
    throw broken(fileName, `${where} is not valid JSON: ${cause.message}`, cause);
  }
  throw broken(fileName, 'its header is not a JSON object');
}

function readMetadata(value: StrictJson, fileName: string): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  // MLX writes null where it has none, which the format's own reader takes for an absent field.
  if (value === null) return metadata;
  if (!(value instanceof Map)) throw broken(fileName, `${METADATA_KEY} is not an object`);
  for (const [key, text] of value as ReadonlyMap<string, StrictJson>) {
    if (typeof text !== 'string') {
      throw broken(fileName, `${METADATA_KEY} holds something other than text under "${key}"`);
    }
    metadata.set(key, text);
  }
  return metadata;
}

function readEntry(name: string, value: StrictJson, file: FileFacts): TensorInfo {
  const fail = (what: string): PeruError => broken(file.fileName, `tensor "${name}" ${what}`);
  if (!(value instanceof Map)) throw fail('has an entry that is not an object');
  const entry = value as ReadonlyMap<string, StrictJson>;
  for (const key of entry.keys()) {
    if (!ENTRY_KEYS.has(key)) throw fail(`has an unknown field "${key}"`);
  }
  const dtype = entry.get('dtype');
  if (typeof dtype !== 'string') throw fail('has no dtype');
  if (!isSafetensorsDtype(dtype)) throw fail(`has the unknown dtype "${dtype}"`);
  const shape = entry.get('shape');
  if (!isCountArray(shape)) throw fail('has a shape that is not a list of whole numbers');
  const elementCount = shape.reduce((product, size) => product * size, 1);
  const bits = elementCount * bitsPerElement(dtype);
  if (!partialProductsAreSafe(shape) || !Number.isSafeInteger(bits)) {
    throw fail('has a shape of more elements than any file can hold');
  }
  if (bits % 8 !== 0) throw fail(`does not fill whole bytes as ${dtype}`);
  const offsets = entry.get('data_offsets');
  if (!isCountArray(offsets) || offsets.length !== 2) {
    throw fail('has data_offsets that are not two whole numbers');
  }
  const [begin, end] = offsets as readonly [number, number];
  if (begin > end) throw fail(`ends (byte ${end}) before it begins (byte ${begin})`);
  if (end > file.fileBytes - file.dataStart) {
    throw fail(
      `reaches to byte ${end} of the data, but the file holds only ${file.fileBytes - file.dataStart}: it is truncated`,
    );
  }
  if (end - begin !== bits / 8) {
    throw fail(
      `should take ${bits / 8} bytes as ${dtype} [${shape.join(', ')}], not ${end - begin}`,
    );
  }
  const byteStart = file.dataStart + begin;
  return { name, dtype, shape, elementCount, byteStart, byteLength: end - begin };
}

/** Ranges in file order must each begin where the one before ends, from the first byte to EOF. */
function checkTiling(tensors: TensorInfo[], file: FileFacts): void {
  tensors.sort((a, b) => a.byteStart - b.byteStart || a.byteLength - b.byteLength);
  let cursor = file.dataStart;
  for (const { name, byteStart, byteLength } of tensors) {
    if (byteStart !== cursor) {
      const what = byteStart < cursor ? 'overlaps the tensor before it' : 'follows a hole';
      throw broken(file.fileName, `tensor "${name}" ${what} at byte ${byteStart - file.dataStart}`);
    }
    cursor += byteLength;
  }
  if (cursor !== file.fileBytes) {
    throw broken(file.fileName, `${file.fileBytes - cursor} bytes at its end belong to no tensor`);
  }
}

function isCountArray(value: StrictJson | undefined): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.every((item) => Number.isSafeInteger(item) && !Object.is(item, -0) && Number(item) >= 0)
  );
}

/** Sizes multiply to a safe integer at every step, as the reference reader demands. */
function partialProductsAreSafe(shape: readonly number[]): boolean {
  let product = 1;
  return shape.every((size) => Number.isSafeInteger((product *= size)));
}
