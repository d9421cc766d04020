/**
 * Reads image classification data sets as `datasets` writes them: parquet with a struct column
 * of encoded images {bytes, path}, an integer label column, and the class names in the file's
 * key-value metadata under `huggingface`.
 */
import { type ByteSource } from '@/tensor/byte-source';
import { PeruError } from '@/core/errors';
import { isRecord } from '@/formats/checkpoint/json-file';
import { type Features, openParquet } from './parquet-file';

export interface ImageRow {
  /** The encoded image file (PNG, JPEG), undecoded. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Index into `classNames`. */
  readonly label: number;
}

export interface ImageDataset {
  readonly name: string;
  readonly rowCount: number;
  /** Rows of the split they stand for: more than `rowCount` where they are a sample of it. */
  readonly ofRowCount: number;
  readonly classNames: readonly string[];
  /** Rows [start, end). Read in order, in whatever parts, each row group is decoded once. */
  readRows(start: number, end: number): Promise<ImageRow[]>;
}

/** Names of a data set's columns, and its classes in label order. */
export interface ImageColumns {
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
export async function openImageDataset(blob: ByteSource, name: string): Promise<ImageDataset> {
  const file = await openParquet(blob, name);
  const { features, rowCount } = file;
  if (features === null) throw unsuitable(name, 'its footer lists no features');
  const columns = findColumns(features, name);
  const readRaw = file.rows([columns.image, columns.label], { utf8: false });
  return {
    name,
    rowCount,
    ofRowCount: rowCount,
    classNames: columns.classNames,
    async readRows(start, end) {
      if (!(start >= 0 && start <= end && end <= rowCount)) {
        throw new RangeError(`Rows ${start} to ${end} lie outside ${name} (${rowCount} rows).`);
      }
      const rows = await readRaw(start, end);
      return rows.map((row, i) => imageRow(row, start + i, columns, name));
    },
  };
}

/** @throws PeruError `unsupported` where a row has no image or no label of a class */
export function imageRow(row: unknown, i: number, columns: ImageColumns, name: string): ImageRow {
  return {
    bytes: imageOf(row, i, columns, name),
    label: labelOf(row, i, columns, name),
  };
}

function unsuitable(name: string, what: string): PeruError {
  return new PeruError(
    'unsupported',
    `${name} can not score a task: ${what}.`,
    'Use an image classification data set written with datasets: an Image column and a ClassLabel column.',
  );
}

export function findColumns(features: Features, name: string): ImageColumns {
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

function labelOf(row: unknown, i: number, columns: ImageColumns, name: string): number {
  const label = isRecord(row) ? Number(row[columns.label] ?? Number.NaN) : Number.NaN;
  if (Number.isInteger(label) && label >= 0 && label < columns.classNames.length) return label;
  throw unsuitable(
    name,
    `row ${i} has no label from 0 to ${columns.classNames.length - 1} in column "${columns.label}"`,
  );
}

function imageOf(
  row: unknown,
  i: number,
  columns: ImageColumns,
  name: string,
): Uint8Array<ArrayBuffer> {
  const image = isRecord(row) ? row[columns.image] : null;
  const bytes = isRecord(image) ? image['bytes'] : null;
  // A copy: hyparquet's views share the buffer of a whole page.
  if (bytes instanceof Uint8Array && bytes.length > 0) return new Uint8Array(bytes);
  throw unsuitable(name, `row ${i} has no image bytes in column "${columns.image}"`);
}
