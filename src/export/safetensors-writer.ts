/**
 * Writes safetensors headers, byte for byte as the reference writer would for the same entries
 * in the same order: compact JSON, metadata first, padded with spaces to a multiple of 8 bytes.
 */
import { bitsPerElement, type SafetensorsDtype } from '@/tensor/safetensors-dtype';

export interface HeaderEntry {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
}

export interface WrittenHeader {
  /** The file's first bytes: 8 of length, then the padded JSON. The data follows. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** First byte of each entry's data, counted from the start of the file, in the given order. */
  readonly starts: readonly number[];
  /** Bytes of the whole file. */
  readonly fileBytes: number;
}

/**
 * Lays the entries out in the given order. The same input gives the same bytes.
 *
 * @param metadata `__metadata__`; left out when empty
 * @throws RangeError when a name stands twice or a size is not a count of whole bytes
 */
export function buildSafetensorsHeader(
  entries: readonly HeaderEntry[],
  metadata: ReadonlyMap<string, string> = new Map(),
): WrittenHeader {
  // Built as text, not as an object: names like "0" or "__proto__" must keep place and meaning.
  const parts: string[] = [];
  if (metadata.size > 0) {
    const pairs = [...metadata].map(([key, value]) => `${quote(key)}:${quote(value)}`);
    parts.push(`"__metadata__":{${pairs.join(',')}}`);
  }
  const seen = new Set(['__metadata__']);
  const offsets: number[] = [];
  let offset = 0;
  for (const { name, dtype, shape } of entries) {
    if (seen.has(name)) throw new RangeError(`The name "${name}" can not be written twice.`);
    seen.add(name);
    const end = offset + entryBytes({ name, dtype, shape });
    parts.push(
      `${quote(name)}:{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${offset},${end}]}`,
    );
    offsets.push(offset);
    offset = end;
  }
  const json = new TextEncoder().encode(`{${parts.join(',')}}`);
  const dataStart = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(dataStart).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  bytes.set(json, 8);
  return { bytes, starts: offsets.map((at) => dataStart + at), fileBytes: dataStart + offset };
}

/** Bytes of one entry's data. */
export function entryBytes({ name, dtype, shape }: HeaderEntry): number {
  const bytes = (shape.reduce((product, size) => product * size, 1) * bitsPerElement(dtype)) / 8;
  if (Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  throw new RangeError(`"${name}" of shape [${shape.join(', ')}] does not fill whole bytes.`);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
