/**
 * Folders of real models as scripts/make_case_headers.py noted them down, laid out again as files:
 * names, shapes, dtypes, metadata and configurations are theirs, the numbers are our own.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isFloatDtype } from '@/tensor/dtype';
import { encodeFloats } from '@/tensor/half';
import { bitsPerElement, type SafetensorsDtype } from '@/tensor/safetensors-dtype';
import { type AddedFile } from '@/protocol/requests';
import { type FixtureTensor, soundFile } from '@/tensor/safetensors.fixture';

const GOLDEN = new URL('./golden/', import.meta.url);

/** Names of all cases. */
export const CASES = readdirSync(GOLDEN)
  .map((file) => file.replace('.json', ''))
  .sort();

/** What a safetensors file holds but for its numbers; a tensor is `F32[2,3]`. */
export interface FileHeader {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, string>>;
}

type CaseFile =
  | FileHeader
  | { readonly like: string }
  | { readonly copy: string }
  | { readonly text: string }
  | { readonly bytes: number };

/** Which file, which tensor, and how many numbers it has. */
export interface Place {
  readonly path: string;
  readonly name: string;
  readonly count: number;
}

/** The numbers of a floating tensor. */
export type ValuesOf = (place: Place) => Float32Array;

/** All files of a case, as a visitor would add them, all of one date. */
export function caseFiles(name: string, valuesOf: ValuesOf = seededValues): AddedFile[] {
  const text = readFileSync(new URL(`${name}.json`, GOLDEN), 'utf8');
  const noted = JSON.parse(text) as Readonly<Record<string, CaseFile>>;
  return Object.keys(noted).map((path) => added(path, contentOf(noted, path, valuesOf)));
}

/** Files by their paths: a header is laid out as a safetensors file, a text is taken as it is. */
export function filesOf(
  contents: Readonly<Record<string, FileHeader | string>>,
  valuesOf: ValuesOf = seededValues,
): AddedFile[] {
  return Object.entries(contents).map(([path, content]) =>
    added(path, typeof content === 'string' ? content : safetensors(path, content, valuesOf)),
  );
}

/**
 * Numbers that tensors of one name have nearly in common, as a base and its fine-tunes do: the
 * same at every call, on every machine.
 */
export function seededValues({ path, name, count }: Place): Float32Array {
  const [shared, own] = [noise(name), noise(`${path} ${name}`)];
  return Float32Array.from({ length: count }, () => 0.1 * shared() + 0.01 * own());
}

/** Numbers evenly spread over -1..1, told by a text alone (FNV-1a, then mulberry32). */
function noise(seed: string): () => number {
  let state = 0x811c_9dc5;
  for (let i = 0; i < seed.length; i++) state = Math.imul(state ^ seed.charCodeAt(i), 0x0100_0193);
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

function added(path: string, content: BlobPart): AddedFile {
  return { path, file: new File([content], path.slice(path.lastIndexOf('/') + 1), DATED) };
}

const DATED = { lastModified: Date.UTC(2026, 0, 1) };

function contentOf(
  noted: Readonly<Record<string, CaseFile>>,
  path: string,
  valuesOf: ValuesOf,
): BlobPart {
  const file = noted[path];
  if (file === undefined) throw new Error(`The case has no ${path}.`);
  if ('copy' in file) return contentOf(noted, file.copy, valuesOf);
  if ('text' in file) return file.text;
  if ('bytes' in file) return new Uint8Array(file.bytes);
  const header = 'like' in file ? noted[file.like] : file;
  if (header === undefined || !('tensors' in header)) throw new Error(`${path} is like no header.`);
  return safetensors(path, header, valuesOf);
}

function safetensors(path: string, header: FileHeader, valuesOf: ValuesOf): BlobPart {
  const tensors = Object.entries(header.tensors).map(
    ([name, spec]) => [name, tensorOf(path, name, spec, valuesOf)] as const,
  );
  return soundFile(Object.fromEntries(tensors), header.metadata);
}

/** Integers count up; floats of rarer dtypes are zeros. */
function tensorOf(path: string, name: string, spec: string, valuesOf: ValuesOf): FixtureTensor {
  const [, dtype, sizes] = /^(\w+)(\[.*\])$/.exec(spec) as unknown as [
    string,
    SafetensorsDtype,
    string,
  ];
  const shape = JSON.parse(sizes) as number[];
  const count = shape.reduce((product, size) => product * size, 1);
  if (isFloatDtype(dtype)) {
    return { dtype, shape, bytes: encodeFloats(valuesOf({ path, name, count }), dtype) };
  }
  const bytes = new Uint8Array((count * bitsPerElement(dtype)) / 8);
  if (dtype === 'I64') new BigInt64Array(bytes.buffer).forEach((_, i, all) => (all[i] = BigInt(i)));
  if (dtype === 'I32') new Int32Array(bytes.buffer).forEach((_, i, all) => (all[i] = i));
  return { dtype, shape, bytes };
}
