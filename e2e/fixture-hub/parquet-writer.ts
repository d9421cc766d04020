/**
 * The smallest writer of parquet files shaped as `datasets` writes them: row groups, optional
 * columns, Snappy, byte strings by dictionary or plain. Format: github.com/apache/parquet-format.
 */

/** Fields of a Thrift struct by id: what the compact protocol writes. */
type Field =
  | { readonly i32: number }
  | { readonly i64: number }
  | { readonly text: string }
  | { readonly struct: Struct }
  | { readonly i32s: readonly number[] }
  | { readonly texts: readonly string[] }
  | { readonly structs: readonly Struct[] };
type Struct = Readonly<Record<number, Field>>;

export interface ParquetColumn {
  /** `['image', 'bytes']` for a field of a struct. */
  readonly path: readonly [string] | readonly [string, string];
  readonly kind: 'bytes' | 'text' | 'int' | 'double';
  /** One a row. */
  readonly values: readonly (Uint8Array | string | number)[];
}

export interface ParquetOptions {
  readonly rowsPerGroup: number;
  /** As pyarrow does by default: values in a dictionary page, indices in the data page. */
  readonly dictionary?: boolean;
  readonly snappy?: boolean;
  /** Type of each column in the words of `datasets`; absent: the footer says nothing. */
  readonly features?: Readonly<Record<string, unknown>>;
}

const TYPES = { int: 2, double: 5, bytes: 6, text: 6 } as const;
const PLAIN = 0;
const RLE = 3;
const RLE_DICTIONARY = 8;
const OPTIONAL = 1;
const UTF8 = 0;
const MAGIC = new TextEncoder().encode('PAR1');

/** A whole parquet file. */
export function writeParquet(
  columns: readonly ParquetColumn[],
  options: ParquetOptions,
): Uint8Array<ArrayBuffer> {
  const rowCount = columns[0]!.values.length;
  const parts: Uint8Array[] = [MAGIC];
  let at = MAGIC.length;
  const groups: Struct[] = [];
  for (let row = 0; row < rowCount; row += options.rowsPerGroup) {
    const end = Math.min(rowCount, row + options.rowsPerGroup);
    const chunks = columns.map((column) => {
      const chunk = writeChunk(column, column.values.slice(row, end), at, options);
      parts.push(...chunk.pages);
      at += chunk.byteLength;
      return chunk;
    });
    groups.push({
      1: { structs: chunks.map(({ facts }) => facts) },
      2: { i64: chunks.reduce((sum, { byteLength }) => sum + byteLength, 0) },
      3: { i64: end - row },
    });
  }
  const footer = thrift(footerOf(columns, rowCount, groups, options));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, footer.length, true);
  return joined([...parts, footer, length, MAGIC]);
}

function footerOf(
  columns: readonly ParquetColumn[],
  rowCount: number,
  groups: readonly Struct[],
  { features }: ParquetOptions,
): Struct {
  const schema = schemaOf(columns);
  const told = JSON.stringify({ info: { features } });
  const metadata: Struct = { 1: { text: 'huggingface' }, 2: { text: told } };
  return {
    1: { i32: 2 },
    2: { structs: schema },
    3: { i64: rowCount },
    4: { structs: groups },
    ...(features === undefined ? {} : { 5: { structs: [metadata] } }),
  };
}

/** The root, then every column or struct, depth first. */
function schemaOf(columns: readonly ParquetColumn[]): Struct[] {
  const tops = [...new Set(columns.map(({ path }) => path[0]))];
  const leaf = ({ path, kind }: ParquetColumn): Struct => ({
    1: { i32: TYPES[kind] },
    3: { i32: OPTIONAL },
    4: { text: path.at(-1)! },
    ...(kind === 'text' ? { 6: { i32: UTF8 } } : {}),
  });
  const below = tops.flatMap((top) => {
    const own = columns.filter(({ path }) => path[0] === top);
    if (own[0]!.path.length === 1) return own.map(leaf);
    const group: Struct = { 3: { i32: OPTIONAL }, 4: { text: top }, 5: { i32: own.length } };
    return [group, ...own.map(leaf)];
  });
  return [{ 4: { text: 'schema' }, 5: { i32: tops.length } }, ...below];
}

interface Chunk {
  readonly pages: readonly Uint8Array[];
  readonly byteLength: number;
  readonly facts: Struct;
}

function writeChunk(
  { path, kind }: ParquetColumn,
  values: ParquetColumn['values'],
  start: number,
  { dictionary = false, snappy = false }: ParquetOptions,
): Chunk {
  const bytes = values.map((value) => encode(value, kind));
  const keys = bytes.map((one) => Buffer.from(one).toString('latin1'));
  const distinct = [...new Set(keys)];
  const asStrings = kind === 'bytes' || kind === 'text';
  const plain = (all: readonly Uint8Array[]): Uint8Array =>
    joined(all.flatMap((one) => (asStrings ? [lengthOf(one), one] : [one])));
  // Nothing is null: all levels are the highest, in one run.
  const level = run(values.length, path.length);
  const levels = joined([u32(level.length), level]);
  const pages: Uint8Array[] = [];
  if (dictionary) {
    const words = plain(distinct.map((key) => Buffer.from(key, 'latin1')));
    const info: Struct = { 1: { i32: distinct.length }, 2: { i32: PLAIN } };
    pages.push(page(2, words, { 7: { struct: info } }, snappy));
  }
  const offset = start + pages.reduce((sum, one) => sum + one.length, 0);
  const places = new Map(distinct.map((key, i) => [key, i]));
  const body = dictionary ? indices(keys.map((key) => places.get(key)!)) : plain(bytes);
  const encoding = dictionary ? RLE_DICTIONARY : PLAIN;
  const info: Struct = {
    1: { i32: values.length },
    2: { i32: encoding },
    3: { i32: RLE },
    4: { i32: RLE },
  };
  pages.push(page(0, joined([levels, body]), { 5: { struct: info } }, snappy));
  const byteLength = pages.reduce((sum, one) => sum + one.length, 0);
  const meta: Struct = {
    1: { i32: TYPES[kind] },
    2: { i32s: dictionary ? [PLAIN, RLE, RLE_DICTIONARY] : [PLAIN, RLE] },
    3: { texts: path },
    4: { i32: snappy ? 1 : 0 },
    5: { i64: values.length },
    6: { i64: byteLength },
    7: { i64: byteLength },
    9: { i64: offset },
    ...(dictionary ? { 11: { i64: start } } : {}),
  };
  return { pages, byteLength, facts: { 2: { i64: start }, 3: { struct: meta } } };
}

function page(type: number, body: Uint8Array, info: Struct, snappy: boolean): Uint8Array {
  const packed = snappy ? packSnappy(body) : body;
  const sizes: Struct = { 1: { i32: type }, 2: { i32: body.length }, 3: { i32: packed.length } };
  return joined([thrift({ ...sizes, ...info }), packed]);
}

function encode(value: Uint8Array | string | number, kind: ParquetColumn['kind']): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return new TextEncoder().encode(value);
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  if (kind === 'int') view.setBigInt64(0, BigInt(value), true);
  else view.setFloat64(0, value, true);
  return bytes;
}

/** Bit width, then one run a value: not small, but plain. */
function indices(values: readonly number[]): Uint8Array {
  const width = 32 - Math.clz32(Math.max(1, ...values));
  const runs = values.map((value) => {
    const bytes = [value & 255, (value >> 8) & 255, (value >> 16) & 255];
    return [2, ...bytes.slice(0, Math.ceil(width / 8))];
  });
  return Uint8Array.from([width, ...runs.flat()]);
}

/** `count` times the same level. */
function run(count: number, level: number): Uint8Array {
  return Uint8Array.from([...varint(count * 2), level]);
}

/** Snappy made of literals and, so that there are some, copies of long runs of one byte. */
function packSnappy(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.from(varint(bytes.length))];
  const MOST = 60_000;
  for (let at = 0; at < bytes.length;) {
    let same = 1;
    while (same < 64 && bytes[at + same] === bytes[at] && at + same < bytes.length) same++;
    if (same >= 8) {
      parts.push(Uint8Array.from([0, bytes[at]!, ((same - 2) << 2) | 2, 1, 0]));
      at += same;
      continue;
    }
    let end = at;
    while (end < bytes.length && end - at < MOST && !isRun(bytes, end)) end++;
    end = Math.max(end, at + 1);
    const length = end - at - 1;
    parts.push(Uint8Array.from([61 << 2, length & 255, length >> 8]), bytes.subarray(at, end));
    at = end;
  }
  return joined(parts);
}

function isRun(bytes: Uint8Array, at: number): boolean {
  for (let i = 1; i < 8; i++) if (bytes[at + i] !== bytes[at]) return false;
  return at + 8 <= bytes.length;
}

/** Thrift's compact protocol. */
function thrift(struct: Struct): Uint8Array {
  return Uint8Array.from(structBytes(struct));
}

function structBytes(struct: Struct): number[] {
  const out: number[] = [];
  let last = 0;
  for (const [key, field] of Object.entries(struct)) {
    const id = Number(key);
    const { type, bytes } = fieldBytes(field);
    out.push(((id - last) << 4) | type, ...bytes);
    last = id;
  }
  return [...out, 0];
}

function fieldBytes(field: Field): { readonly type: number; readonly bytes: readonly number[] } {
  if ('i32' in field) return { type: 5, bytes: varint(zigzag(field.i32)) };
  if ('i64' in field) return { type: 6, bytes: varint(zigzag(field.i64)) };
  if ('text' in field) return { type: 8, bytes: textBytes(field.text) };
  if ('struct' in field) return { type: 12, bytes: structBytes(field.struct) };
  if ('i32s' in field)
    return list(
      5,
      field.i32s.map((one) => varint(zigzag(one))),
    );
  if ('texts' in field) return list(8, field.texts.map(textBytes));
  return list(12, field.structs.map(structBytes));
}

function list(type: number, items: readonly (readonly number[])[]) {
  const head =
    items.length < 15 ? [(items.length << 4) | type] : [0xf0 | type, ...varint(items.length)];
  return { type: 9, bytes: [...head, ...items.flat()] };
}

function textBytes(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...varint(bytes.length), ...bytes];
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return [...bytes, left];
}

function lengthOf(bytes: Uint8Array): Uint8Array {
  return u32(bytes.length);
}

function u32(value: number): Uint8Array {
  return Uint8Array.from([value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
