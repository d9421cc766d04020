/**
 * Reads the first values of a column of byte strings without the rest of it. Parquet is made to be
 * read by whole row groups, and a hundred photographs are 15 MB; but pages are laid out in order,
 * and Snappy unpacks from the front, so the beginning of a page gives its first values.
 */
import {
  type ColumnMetaData,
  type DataReader,
  type FileMetaData,
  type PageHeader,
  parquetSchema,
} from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { checkPage, chunkRange } from './parquet-limits';
import { type SparseBytes } from './sparse-bytes';
import { unpackSnappyPrefix } from './snappy-prefix';

/** More than the mean of a value is read at first, because values differ in length. */
const MARGIN = 1.15;
/** What is tried after too little, times this. */
const GROWTH = 1.4;
/** Room for a page's header and levels, in bytes. */
const HEADER_ROOM = 512;

/** Where a column's pages lie, and how they are packed. */
interface Chunk {
  readonly bytes: SparseBytes;
  readonly meta: ColumnMetaData;
  /** How many of the column and the structs around it may be null. */
  readonly maxDefinition: number;
}

/** Whether the first values of a column can be had without the rest. */
export function hasReadablePrefix({ type, codec, encodings }: ColumnMetaData): boolean {
  const plain = encodings.every((one) => {
    return ['PLAIN', 'PLAIN_DICTIONARY', 'RLE_DICTIONARY', 'RLE', 'BIT_PACKED'].includes(one);
  });
  return type === 'BYTE_ARRAY' && ['UNCOMPRESSED', 'SNAPPY'].includes(codec) && plain;
}

/**
 * The first `count` values of a column of byte strings; null where there is none.
 *
 * @param bytes the file, of which only what is needed is read
 * @param groupRows rows of the row group, to guess how long a value is
 * @throws Error for damaged pages
 */
export async function readFirstValues(
  bytes: SparseBytes,
  metadata: FileMetaData,
  meta: ColumnMetaData,
  { count, groupRows }: { readonly count: number; readonly groupRows: number },
): Promise<(Uint8Array | null)[]> {
  const chunk = { bytes, meta, maxDefinition: maxDefinition(metadata, meta.path_in_schema) };
  const { start, end } = chunkRange(meta);
  const mean = (end - start) / groupRows;
  for (let room = Math.ceil(MARGIN * mean * count); ; room *= GROWTH) {
    const values = await walkPages(chunk, { count, groupRows, room });
    if (values !== null) return values;
    if (room > end - start) throw new Error('pages hold fewer values than the footer says');
  }
}

/** Null where `room` bytes of the column were too few. */
async function walkPages(
  { bytes, meta, maxDefinition: levels }: Chunk,
  options: { readonly count: number; readonly groupRows: number; readonly room: number },
): Promise<(Uint8Array | null)[] | null> {
  const { count, groupRows, room } = options;
  const { start, end } = chunkRange(meta);
  // Values lie end to end, a dictionary's too: the first read holds most or all that is needed.
  const window = start + HEADER_ROOM + Math.ceil(room);
  const values: (Uint8Array | null)[] = [];
  let dictionary: Uint8Array[] = [];
  let at = start;
  while (values.length < count) {
    if (at >= end) return null;
    const seen = await bytes.read(at, Math.min(end, Math.max(window, at + HEADER_ROOM)));
    const reader = { view: viewOf(seen), offset: 0 };
    const header = headerOf(reader, at + seen.length < end);
    if (header === null) return null;
    checkPage(header, groupRows);
    const bodyEnd = at + reader.offset + header.compressed_page_size;
    const have = seen.subarray(reader.offset, reader.offset + header.compressed_page_size);
    if (header.type === 'DICTIONARY_PAGE') {
      const most = header.dictionary_page_header?.num_values ?? 0;
      dictionary = byteStrings(unpack(have, header.uncompressed_page_size, meta), most);
    } else {
      const page = await dataPage({ header, have, bodyEnd, bytes, meta });
      const found = pageValues(page, { levels, dictionary, most: count - values.length });
      if (found === null) return null;
      values.push(...found);
    }
    at = bodyEnd;
  }
  return values;
}

/** Null where it goes on beyond what has come. */
function headerOf(reader: DataReader, goesOn: boolean): PageHeader | null {
  try {
    return parquetHeader(reader);
  } catch (cause) {
    if (goesOn) return null;
    throw cause;
  }
}

interface Page {
  readonly body: Uint8Array;
  readonly levelBytes: Uint8Array | null;
  readonly valueCount: number;
  readonly isDictionary: boolean;
}

/** A page of indices is small and read whole; of a page of values, what has come is enough. */
async function dataPage(parts: {
  readonly header: PageHeader;
  readonly have: Uint8Array;
  readonly bodyEnd: number;
  readonly bytes: SparseBytes;
  readonly meta: ColumnMetaData;
}): Promise<Page> {
  const { header, bodyEnd, bytes, meta } = parts;
  const { data_page_header: v1, data_page_header_v2: v2 } = header;
  const info = v1 ?? v2;
  if (info === undefined) throw new Error(`unsupported page type ${header.type}`);
  const isDictionary = info.encoding === 'PLAIN_DICTIONARY' || info.encoding === 'RLE_DICTIONARY';
  if (!isDictionary && info.encoding !== 'PLAIN') {
    throw new Error(`unsupported encoding ${info.encoding}`);
  }
  const size = header.compressed_page_size;
  const have = isDictionary ? await bytes.read(bodyEnd - size, bodyEnd) : parts.have;
  const page = { valueCount: info.num_values, isDictionary };
  if (v2 === undefined) {
    return { ...page, levelBytes: null, body: unpack(have, header.uncompressed_page_size, meta) };
  }
  const levelEnd = v2.repetition_levels_byte_length + v2.definition_levels_byte_length;
  const packed = have.subarray(levelEnd);
  const length = header.uncompressed_page_size - levelEnd;
  const body = v2.is_compressed === false ? packed : unpack(packed, length, meta);
  const levelBytes = have.subarray(v2.repetition_levels_byte_length, levelEnd);
  return { ...page, levelBytes, body };
}

/** The page's first values, `most` or all of them; null where the body ends too early. */
function pageValues(
  { body, levelBytes, valueCount, isDictionary }: Page,
  options: {
    readonly levels: number;
    readonly dictionary: readonly Uint8Array[];
    readonly most: number;
  },
): (Uint8Array | null)[] | null {
  const { levels, dictionary, most } = options;
  const reader = { view: viewOf(body), offset: 0 };
  let isThere = new Array<boolean>(valueCount).fill(true);
  if (levels > 0) {
    const found = new Array<number>(valueCount);
    const width = 32 - Math.clz32(levels);
    if (levelBytes === null) readRleBitPackedHybrid(reader, width, found);
    else {
      readRleBitPackedHybrid(
        { view: viewOf(levelBytes), offset: 0 },
        width,
        found,
        levelBytes.length,
      );
    }
    isThere = found.map((level) => level === levels);
  }
  const wanted = isThere.slice(0, most);
  const wantedValues = wanted.filter(Boolean).length;
  const rest = body.subarray(reader.offset);
  const values = isDictionary
    ? lookUp(rest, isThere.filter(Boolean).length, dictionary).slice(0, wantedValues)
    : byteStrings(rest, wantedValues);
  if (values.length < wantedValues || values.includes(undefined)) return null;
  let next = 0;
  return wanted.map((there) => (there ? values[next++]! : null));
}

/** Values by their indices; undefined where the dictionary has not come that far. */
function lookUp(
  body: Uint8Array,
  count: number,
  dictionary: readonly Uint8Array[],
): (Uint8Array | undefined)[] {
  const indices = new Array<number>(count).fill(0);
  const width = body[0] ?? 0;
  if (width > 0) {
    const reader = { view: viewOf(body), offset: 1 };
    readRleBitPackedHybrid(reader, width, indices, body.length - 1);
  }
  return indices.map((index) => dictionary[index]);
}

/** Strings behind their lengths, `most` of them or as many as are whole. */
function byteStrings(body: Uint8Array, most: number): Uint8Array[] {
  const view = viewOf(body);
  const values: Uint8Array[] = [];
  for (let at = 0; values.length < most && at + 4 <= body.length;) {
    const end = at + 4 + view.getUint32(at, true);
    if (end > body.length) break;
    values.push(body.subarray(at + 4, end));
    at = end;
  }
  return values;
}

function unpack(packed: Uint8Array, length: number, { codec }: ColumnMetaData): Uint8Array {
  return codec === 'SNAPPY' ? unpackSnappyPrefix(packed, length) : packed;
}

function maxDefinition(metadata: FileMetaData, path: readonly string[]): number {
  let node = parquetSchema(metadata);
  let levels = 0;
  for (const name of path) {
    const child = node.children.find(({ element }) => element.name === name);
    if (child === undefined) throw new Error(`no column ${path.join('.')} in the schema`);
    if (child.element.repetition_type === 'REPEATED')
      throw new Error('a list, not one value a row');
    if (child.element.repetition_type !== 'REQUIRED') levels += 1;
    node = child;
  }
  return levels;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
