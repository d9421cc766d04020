/**
 * Reads image classification data sets as `datasets` writes them: parquet with a struct column
 * of encoded images {bytes, path}, an integer label column, and the class names in the file's
 * key-value metadata under `huggingface`.
 */
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { PeruError } from '@/tensor/errors';
import { readRange } from '@/tensor/safetensors';
import { isRecord } from './json-file';

export interface ImageRow {
  /** The encoded image file (PNG, JPEG), undecoded. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Index into `classNames`. */
  readonly label: number;
}

export interface ImageDataset {
  readonly name: string;
  readonly rowCount: number;
  readonly classNames: readonly string[];
  /** Rows [start, end); each call decodes the row groups it touches. */
  readRows(start: number, end: number): Promise<ImageRow[]>;
}

interface Columns {
  readonly image: string;
  readonly label: string;
  readonly classNames: readonly string[];
}

/**
 * Reads the footer of a parquet file.
 *
 * @param name for messages
 * @throws PeruError `parse` when it is not sound parquet, `unsupported` when it holds no images
 *   with class labels, `source` when it can not be read
 */
export async function openImageDataset(blob: Blob, name: string): Promise<ImageDataset> {
  const file = asyncBuffer(blob, name);
  const metadata = await reading(name, () => parquetMetadataAsync(file));
  const columns = findColumns(metadata, name);
  const rowCount = Number(metadata.num_rows);
  const read = (names: string[], rowStart: number, rowEnd: number): Promise<unknown[]> =>
    reading(name, () =>
      parquetReadObjects({ file, metadata, columns: names, rowStart, rowEnd, utf8: false }),
    );
  return {
    name,
    rowCount,
    classNames: columns.classNames,
    async readRows(start, end) {
      if (!(start >= 0 && start <= end && end <= rowCount)) {
        throw new RangeError(`Rows ${start} to ${end} lie outside ${name} (${rowCount} rows).`);
      }
      const rows = await read([columns.image, columns.label], start, end);
      return rows.map((row, i) => ({
        bytes: imageOf(row, start + i, columns, name),
        label: labelOf(row, start + i, columns, name),
      }));
    },
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

function unsuitable(name: string, what: string): PeruError {
  return new PeruError(
    'unsupported',
    `${name} can not score a task: ${what}.`,
    'Use an image classification data set written with datasets: an Image column and a ClassLabel column.',
  );
}

function findColumns(metadata: FileMetaData, name: string): Columns {
  const features = hubFeatures(metadata, name);
  const ofType = (type: string): [string, Readonly<Record<string, unknown>>] | undefined =>
    Object.entries(features).find(
      (entry): entry is [string, Readonly<Record<string, unknown>>] =>
        isRecord(entry[1]) && entry[1]['_type'] === type,
    );
  const image = ofType('Image');
  const label = ofType('ClassLabel');
  if (image === undefined) throw unsuitable(name, 'it has no Image column');
  if (label === undefined) throw unsuitable(name, 'it has no ClassLabel column');
  const classNames = label[1]['names'];
  if (!Array.isArray(classNames) || classNames.length === 0) {
    throw unsuitable(name, `its column "${label[0]}" names no classes`);
  }
  return { image: image[0], label: label[0], classNames: classNames.map(String) };
}

/** `info.features` of the metadata `datasets` leaves in the footer. */
function hubFeatures(metadata: FileMetaData, name: string): Readonly<Record<string, unknown>> {
  const text = metadata.key_value_metadata?.find(({ key }) => key === 'huggingface')?.value;
  if (text === undefined) throw unsuitable(name, 'its footer has no class names');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw unsuitable(name, 'the "huggingface" metadata in its footer is not JSON');
  }
  const info = isRecord(parsed) ? parsed['info'] : null;
  const features = isRecord(info) ? info['features'] : null;
  if (!isRecord(features)) throw unsuitable(name, 'its footer lists no features');
  return features;
}

function labelOf(row: unknown, i: number, columns: Columns, name: string): number {
  const label = isRecord(row) ? Number(row[columns.label] ?? Number.NaN) : Number.NaN;
  if (Number.isInteger(label) && label >= 0 && label < columns.classNames.length) return label;
  throw unsuitable(
    name,
    `row ${i} has no label from 0 to ${columns.classNames.length - 1} in column "${columns.label}"`,
  );
}

function imageOf(row: unknown, i: number, columns: Columns, name: string): Uint8Array<ArrayBuffer> {
  const image = isRecord(row) ? row[columns.image] : null;
  const bytes = isRecord(image) ? image['bytes'] : null;
  // A copy: hyparquet's views share the buffer of a whole page.
  if (bytes instanceof Uint8Array && bytes.length > 0) return new Uint8Array(bytes);
  throw unsuitable(name, `row ${i} has no image bytes in column "${columns.image}"`);
}
