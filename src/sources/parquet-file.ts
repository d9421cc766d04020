/** Parquet files as `datasets` writes them: columns by name, features in the footer. */
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { PeruError } from '@/tensor/errors';
import { readRange } from '@/tensor/safetensors';
import { isRecord } from './json-file';

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
}

export type ReadRows = (start: number, end: number) => Promise<unknown[]>;

/**
 * Reads the footer of a parquet file.
 *
 * @param name for messages
 * @throws PeruError `parse` when it is not sound parquet or uses a codec Peru lacks, `source`
 *   when it can not be read
 */
export async function openParquet(blob: Blob, name: string): Promise<ParquetFile> {
  const file = asyncBuffer(blob, name);
  const metadata = await reading(name, () => parquetMetadataAsync(file));
  return {
    rowCount: Number(metadata.num_rows),
    features: hubFeatures(metadata),
    rows: (columns, { utf8 = true } = {}) =>
      groupReader(metadata, (rowStart, rowEnd) =>
        reading(name, () =>
          parquetReadObjects({ file, metadata, columns: [...columns], rowStart, rowEnd, utf8 }),
        ),
      ),
  };
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

function asyncBuffer(blob: Blob, name: string): AsyncBuffer {
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
