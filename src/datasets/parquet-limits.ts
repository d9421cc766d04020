/**
 * What a parquet file may claim of itself. Row counts and sizes stand in headers and are used to
 * make room before there is anything to fill it: a file of a few bytes could ask for gigabytes.
 */
import {
  type AsyncBuffer,
  type ColumnMetaData,
  type FileMetaData,
  type PageHeader,
} from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';

/** Most rows of a row group, and values of a column in it: writers put a million rows at most. */
const MOST_GROUP_ROWS = 1e7;
/** Largest page, in bytes, packed or unpacked: writers aim at one MB. */
const MOST_PAGE_BYTES = 64 * 2 ** 20;
/** Most bytes of a column's pages in a row group, once unpacked. */
const MOST_CHUNK_BYTES = 2 ** 30;

/** Byte range of a column's pages in the file. */
export function chunkRange(meta: ColumnMetaData): { readonly start: number; readonly end: number } {
  // Some writers say 0 where there is no dictionary.
  const start = Number(meta.dictionary_page_offset ?? 0) || Number(meta.data_page_offset);
  return { start, end: start + Number(meta.total_compressed_size) };
}

/** @throws Error where a footer counts more rows than a row group may have, or other than in all */
export function checkRowCounts({ num_rows, row_groups }: FileMetaData): void {
  let total = 0;
  for (const [index, group] of row_groups.entries()) {
    const rows = Number(group.num_rows);
    if (!isCount(rows, MOST_GROUP_ROWS)) {
      throw new Error(
        `row group ${index} counts ${rows} rows, and Peru reads ${MOST_GROUP_ROWS} at most`,
      );
    }
    total += rows;
  }
  if (total === Number(num_rows)) return;
  throw new Error(`its footer counts ${num_rows} rows, and its row groups ${total}`);
}

/**
 * @param mostValues values that may stand in the page
 * @throws Error for a page that is larger than one may be
 */
export function checkPage(header: PageHeader, mostValues: number): void {
  const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header;
  for (const size of [packed, unpacked]) {
    if (!isCount(size, MOST_PAGE_BYTES)) {
      throw new Error(`a page claims ${size} bytes, and Peru reads ${MOST_PAGE_BYTES} at most`);
    }
  }
  const values = valueCount(header);
  if (isCount(values, mostValues)) return;
  throw new Error(`a page claims ${values} values, where there can be ${mostValues}`);
}

/**
 * The file as hyparquet may have it: the headers of a column's pages are looked through before the
 * pages are handed out.
 *
 * @param metas columns that are read of it, each in one go
 */
export function checkedPages(file: AsyncBuffer, metas: readonly ColumnMetaData[]): AsyncBuffer {
  return {
    byteLength: file.byteLength,
    slice: async (start, end = file.byteLength) => {
      const bytes = await file.slice(start, end);
      for (const meta of metas) {
        const range = chunkRange(meta);
        if (range.start < start || range.end > start + bytes.byteLength) continue;
        checkChunk(new DataView(bytes, range.start - start, range.end - range.start));
      }
      return bytes;
    },
  };
}

function checkChunk(view: DataView<ArrayBuffer>): void {
  const reader = { view, offset: 0 };
  let values = 0;
  let bytes = 0;
  // As hyparquet goes: a last byte alone is no header.
  while (reader.offset < view.byteLength - 1) {
    const header = parquetHeader(reader);
    checkPage(header, MOST_GROUP_ROWS);
    if (header.type !== 'DICTIONARY_PAGE') values += valueCount(header);
    bytes += header.uncompressed_page_size;
    if (values > MOST_GROUP_ROWS || bytes > MOST_CHUNK_BYTES) {
      throw new Error(`the pages of a column claim ${values} values in ${bytes} bytes: too many`);
    }
    reader.offset += header.compressed_page_size;
  }
}

function valueCount(header: PageHeader): number {
  const { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header } = header;
  return (v1 ?? v2 ?? dictionary_page_header)?.num_values ?? 0;
}

function isCount(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}
