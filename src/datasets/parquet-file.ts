/** Parquet files as `datasets` writes them: columns by name, features in the footer. */
import { type ByteSource } from '@/tensor/byte-source';
import {
  type AsyncBuffer,
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { PeruError } from '@/core/errors';
import { readRange } from '@/tensor/safetensors';
import { hasReadablePrefix, readFirstValues } from './dataset-prefix';
import { isRecord } from '@/formats/checkpoint/json-file';
import { checkedPages, checkRowCounts, chunkRange } from './parquet-limits';
import { unpackSnappyPrefix } from './snappy-prefix';
import { SparseBytes } from './sparse-bytes';

/** Footers of split files are mostly smaller: one request for most. */
const FOOTER_GUESS_BYTES = 64 * 1024;
const MAX_TAIL_BYTES = 64 * 1024;
/** In place of hyparquet's own, which makes room for whatever a page claims. */
const COMPRESSORS = { SNAPPY: unpackSnappyPrefix };

export type Features = Readonly<Record<string, unknown>>;

export interface ParquetFile {
  readonly rowCount: number;
  /** Type of each column, in order; null where the footer lists none. */
  readonly features: Features | null;
  /**
   * A reader of rows [start, end) with the columns asked for. Read in order, in whatever parts,
   * each row group is decoded once.
   */
  rows(columns: readonly string[], options?: { readonly utf8?: boolean }): ReadRows;
  /** Its parts that are packed on their own, in order. */
  readonly groups: readonly RowGroupFacts[];
  /**
   * The first rows of a group, with a struct of encoded files and another column, as `rows` gives
   * them; little more than their bytes is read. Null where its pages can only be read whole.
   */
  firstRows(group: number, columns: FileColumns, count: number): Promise<unknown[] | null>;
  /** All rows of some groups, given in order: their bytes and what lies between are one read. */
  wholeGroups(
    groups: readonly number[],
    columns: readonly string[],
    options?: { readonly utf8?: boolean },
  ): Promise<unknown[][]>;
}

export interface RowGroupFacts {
  readonly rowStart: number;
  readonly rowCount: number;
  /** Bytes of all its columns in the file. */
  readonly byteLength: number;
  /** Where they lie, whatever else lies between them. */
  readonly byteStart: number;
  readonly byteEnd: number;
}

/** Names of a column of structs {bytes, path}, and of one of plain values. */
export interface FileColumns {
  readonly file: string;
  readonly value: string;
}

export type ReadRows = (start: number, end: number) => Promise<unknown[]>;

/**
 * Reads the footer of a parquet file.
 *
 * @param name for messages
 * @throws PeruError `parse` when it is not sound parquet, claims more than a file may or uses a
 *   codec Peru lacks, `source` when it can not be read
 */
export async function openParquet(blob: ByteSource, name: string): Promise<ParquetFile> {
  const file = asyncBuffer(blob, name);
  const metadata = await reading(name, async () => {
    const found = await parquetMetadataAsync(file, { initialFetchSize: FOOTER_GUESS_BYTES });
    checkRowCounts(found);
    return found;
  });
  return {
    rowCount: Number(metadata.num_rows),
    features: hubFeatures(metadata),
    groups: groupFacts(metadata),
    firstRows: (group, columns, count) =>
      reading(name, () => firstRows({ file, metadata }, group, columns, count)),
    wholeGroups: (groups, columns, { utf8 = true } = {}) =>
      reading(name, () => wholeGroups({ file, metadata }, groups, { columns, utf8 })),
    rows: (columns, { utf8 = true } = {}) =>
      groupReader(metadata, (rowStart, rowEnd) =>
        reading(name, () => readObjects({ file, metadata }, columns, { rowStart, rowEnd, utf8 })),
      ),
  };
}

function groupFacts({ row_groups }: FileMetaData): RowGroupFacts[] {
  let rowStart = 0;
  return row_groups.map(({ num_rows, columns, total_byte_size }) => {
    const packed = columns.map(({ meta_data }) => Number(meta_data?.total_compressed_size ?? 0));
    const byteLength = packed.reduce((sum, bytes) => sum + bytes, 0) || Number(total_byte_size);
    const ranges = columns.flatMap(({ meta_data: meta }) => (meta ? [chunkRange(meta)] : []));
    const facts = {
      rowStart,
      rowCount: Number(num_rows),
      byteLength,
      byteStart: ranges.reduce((least, { start }) => Math.min(least, start), Infinity),
      byteEnd: ranges.reduce((most, { end }) => Math.max(most, end), 0),
    };
    rowStart += facts.rowCount;
    return facts;
  });
}

interface OpenFile {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
}

/** Rows of columns, each page looked at before it is unpacked. */
function readObjects(
  { file, metadata }: OpenFile,
  columns: readonly string[],
  options: { readonly rowStart: number; readonly rowEnd: number; readonly utf8?: boolean },
): Promise<Record<string, unknown>[]> {
  const metas = metadata.row_groups
    .flatMap((group) => group.columns)
    .flatMap(({ meta_data }) => meta_data ?? [])
    .filter(({ path_in_schema }) => columns.includes(path_in_schema[0] ?? ''));
  return parquetReadObjects({
    file: checkedPages(file, metas),
    metadata,
    columns: [...columns],
    compressors: COMPRESSORS,
    // With an index only parts of a column would be read, and looked at.
    useOffsetIndex: false,
    ...options,
  });
}

/** Files are read by their prefix, and the values, which are small, as a whole group's. */
async function firstRows(
  source: OpenFile,
  group: number,
  columns: FileColumns,
  count: number,
): Promise<unknown[] | null> {
  const { metadata } = source;
  const { rowStart, rowCount } = groupFacts(metadata)[group]!;
  const metas = metadata.row_groups[group]!.columns.map(({ meta_data }) => meta_data);
  const meta = metas.find((one) => one?.path_in_schema.join('.') === `${columns.file}.bytes`);
  if (meta === undefined || !hasReadablePrefix(meta)) return null;
  const bytes = new SparseBytes(source.file);
  await readTail(
    bytes,
    meta,
    metas.find((one) => one?.path_in_schema[0] === columns.value),
  );
  const [files, rows] = await Promise.all([
    readFirstValues(bytes, metadata, meta, { count, groupRows: rowCount }),
    readObjects({ file: bytes, metadata }, [columns.value], {
      rowStart,
      rowEnd: rowStart + count,
    }),
  ]);
  return rows.map((row, i) => ({ ...row, [columns.file]: { bytes: files[i] } }));
}

async function wholeGroups(
  { file, metadata }: OpenFile,
  groups: readonly number[],
  { columns, utf8 }: { readonly columns: readonly string[]; readonly utf8: boolean },
): Promise<unknown[][]> {
  const facts = groupFacts(metadata);
  const wanted = groups.map((group) => facts[group]!);
  const bytes = new SparseBytes(file);
  const [first, last] = [wanted[0], wanted.at(-1)];
  if (first !== undefined && last !== undefined) await bytes.read(first.byteStart, last.byteEnd);
  return Promise.all(
    wanted.map(({ rowStart, rowCount }) => {
      const rows = { rowStart, rowEnd: rowStart + rowCount };
      return readObjects({ file: bytes, metadata }, columns, { ...rows, utf8 });
    }),
  );
}

/** Indices into a dictionary and the values lie close behind it: one request for both. */
async function readTail(
  bytes: SparseBytes,
  meta: ColumnMetaData,
  value: ColumnMetaData | undefined,
): Promise<void> {
  if (meta.dictionary_page_offset === undefined || value === undefined) return;
  const start = Number(meta.data_page_offset);
  const { end } = chunkRange(value);
  if (end > start && end - start <= MAX_TAIL_BYTES) await bytes.read(start, end);
}

/**
 * parquet decodes whole row groups, often all rows of a file, however few are asked for: the last
 * one decoded is held until its last row was handed out.
 */
function groupReader({ row_groups }: FileMetaData, decode: ReadRows): ReadRows {
  let held: { readonly from: number; readonly rows: Promise<unknown[]> } | null = null;
  const drop = (from: number): void => {
    if (held?.from === from) held = null;
  };
  const decodeOnce = (from: number, to: number): Promise<unknown[]> => {
    if (held?.from === from) return held.rows;
    const rows = decode(from, to);
    held = { from, rows };
    rows.catch(() => {
      drop(from);
    });
    return rows;
  };
  return async (start, end) => {
    const found: unknown[] = [];
    let from = 0;
    for (const { num_rows } of row_groups) {
      const to = from + Number(num_rows);
      const [first, last] = [Math.max(start, from), Math.min(end, to)];
      if (first < last) {
        const rows = await decodeOnce(from, to);
        for (let row = first; row < last; row++) found.push(rows[row - from]);
        if (last === to) drop(from);
      }
      from = to;
    }
    return found;
  };
}

function asyncBuffer(blob: ByteSource, name: string): AsyncBuffer {
  return {
    byteLength: blob.size,
    slice: async (start, end = blob.size) => (await readRange(blob, start, end, name)).buffer,
  };
}

/** hyparquet throws plain errors for damaged files and for codecs it lacks. */
async function reading<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof PeruError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PeruError(
      'parse',
      `${name} could not be read as parquet: ${reason}.`,
      'Reload the page if it came with it; else write it again with datasets (to_parquet), uncompressed or with snappy.',
      { cause },
    );
  }
}

/** `info.features` of the metadata `datasets` leaves in the footer. */
function hubFeatures(metadata: FileMetaData): Features | null {
  const text = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value;
  const parsed = parseJson(text ?? 'null');
  const info = isRecord(parsed) ? parsed['info'] : null;
  const features = isRecord(info) ? info['features'] : null;
  return isRecord(features) ? features : null;
}

/** null also for text that is no JSON: such a footer tells nothing. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
