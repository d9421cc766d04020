/**
 * Reads text data sets as `datasets` writes them: parquet with string columns, which a prompt
 * template names, and a label column, a class or a number.
 */
import { type ByteSource } from '@/tensor/byte-source';
import { PeruError } from '@/core/errors';
import { mixedOrder, pickRows } from './dataset-picks';
import { groupRuns } from './group-runs';
import { isRecord } from '@/formats/checkpoint/json-file';
import { type Features, openParquet, type ParquetFile } from './parquet-file';

export interface TextRow {
  readonly prompt: string;
  /** Index of the class, or a number to come close to. */
  readonly label: number;
}

export interface TextDataset {
  readonly rowCount: number;
  /** Rows of the split they stand for: more than `rowCount` where they are a sample of it. */
  readonly ofRowCount: number;
  /** null where labels are numbers rather than classes. */
  readonly classCount: number | null;
  /** Rows [from, to); the file is decoded once, at the first call. */
  readRows(from: number, to: number): Promise<TextRow[]>;
}

export interface TextDatasetOptions {
  /** A row's prompt, with `{column}` where the text of a column goes: "Is '{sentence}' right?" */
  readonly prompt: string;
  /** The right answer of each class, in label order; null for labels that are numbers. */
  readonly answers: readonly string[] | null;
}

interface LabelColumn {
  readonly name: string;
  readonly classCount: number | null;
}

/** Literal text and names of columns, in turn: a prompt template taken apart. */
interface Template {
  readonly literals: readonly string[];
  readonly columns: readonly string[];
}

const NUMBER_TYPES = ['float16', 'float32', 'float64'];

/**
 * Reads the footer of a parquet file and finds the template's columns and the label.
 *
 * @param label names the data set in messages
 * @throws PeruError `parse` when it is not sound parquet, `unsupported` when it lacks a column of
 *   the template or a label of the right kind, `source` when it can not be read
 */
export async function openTextDataset(
  blob: ByteSource,
  label: string,
  options: TextDatasetOptions,
): Promise<TextDataset> {
  const file = await openParquet(blob, label);
  const reader = textReader(file, label, options);
  const { rowCount } = file;
  return datasetOf(label, reader, { rowCount, ofRowCount: rowCount }, () => {
    return reader.readRows(0, rowCount);
  });
}

/**
 * Reads the footers of a split's files and chooses rows, evenly from all over it; they are read
 * when the first of them are asked for.
 *
 * @param sampleRows most rows; all where the split has no more
 * @throws PeruError as `openTextDataset`
 */
export async function openTextSample(
  shards: readonly { readonly blob: ByteSource; readonly name: string }[],
  label: string,
  options: TextDatasetOptions,
  sampleRows: number,
): Promise<TextDataset> {
  const files = await Promise.all(shards.map(({ blob, name }) => openParquet(blob, name)));
  const readers = files.map((file, i) => textReader(file, shards[i]!.name, options));
  const [first] = readers;
  if (first === undefined) throw new Error('A split without files was opened.');
  const facts = files.map(({ groups }) => groups);
  const picks = pickRows(facts, sampleRows);
  const rowCount = picks.reduce((sum, { rows }) => sum + rows.length, 0);
  const ofRowCount = files.reduce((sum, file) => sum + file.rowCount, 0);
  return datasetOf(label, first, { rowCount, ofRowCount }, async () => {
    const found: TextRow[] = [];
    // In the picks' own order, which is the files'.
    for (const run of groupRuns(picks, facts)) {
      const { shard } = run[0];
      const read = await readers[shard]!.readGroups(run.map(({ group }) => group));
      found.push(...run.flatMap(({ rows }, i) => rows.map((row) => read[i]![row]!)));
    }
    return mixedOrder(found.length).map((i) => found[i]!);
  });
}

/** Rows of one file, as prompts with labels. */
interface TextReader {
  readonly classCount: number | null;
  readonly readRows: (from: number, to: number) => Promise<TextRow[]>;
  /** Rows of groups, given in order, by one read. */
  readonly readGroups: (groups: readonly number[]) => Promise<TextRow[][]>;
}

function textReader(file: ParquetFile, label: string, options: TextDatasetOptions): TextReader {
  const { features } = file;
  if (features === null) throw unsuitable(label, 'its footer lists no features');
  const template = parseTemplate(options.prompt);
  checkTextColumns(features, template, label);
  const column = findLabel(features, options.answers, label);
  const names = [...new Set([...template.columns, column.name])];
  const readRaw = file.rows(names);
  const textRow = (row: unknown, i: number): TextRow => {
    const values = isRecord(row) ? row : {};
    return {
      prompt: fill(template, (name) => textOf(values, name, i, label)),
      label: labelOf(values, column, i, label),
    };
  };
  return {
    classCount: column.classCount,
    readRows: async (from, to) => (await readRaw(from, to)).map((row, i) => textRow(row, from + i)),
    async readGroups(groups) {
      const raw = await file.wholeGroups(groups, names);
      return raw.map((rows, i) => {
        const { rowStart } = file.groups[groups[i]!]!;
        return rows.map((row, j) => textRow(row, rowStart + j));
      });
    },
  };
}

/** Reads all rows at the first call, and holds them. */
function datasetOf(
  label: string,
  { classCount }: TextReader,
  counts: Pick<TextDataset, 'rowCount' | 'ofRowCount'>,
  readAll: () => Promise<TextRow[]>,
): TextDataset {
  let rows: Promise<TextRow[]> | null = null;
  return {
    ...counts,
    classCount,
    async readRows(from, to) {
      if (!(from >= 0 && from <= to && to <= counts.rowCount)) {
        throw new RangeError(
          `Rows ${from} to ${to} lie outside ${label} (${counts.rowCount} rows).`,
        );
      }
      rows ??= readAll().catch((cause: unknown) => {
        rows = null;
        throw cause;
      });
      return (await rows).slice(from, to);
    },
  };
}

/** Splits "a {b} c" into literals a, c and column b; braces that name nothing stay as they are. */
function parseTemplate(prompt: string): Template {
  const parts = prompt.split(/\{(\w+)\}/);
  return {
    literals: parts.filter((_, i) => i % 2 === 0),
    columns: parts.filter((_, i) => i % 2 === 1),
  };
}

/** Texts go in as they are: a brace or a dollar sign in one means nothing. */
function fill({ literals, columns }: Template, text: (name: string) => string): string {
  return literals.map((literal, i) => (i === 0 ? '' : text(columns[i - 1]!)) + literal).join('');
}

function checkTextColumns(features: Features, template: Template, label: string): void {
  if (template.columns.length === 0) throw unsuitable(label, 'its prompt names no column');
  for (const name of template.columns) {
    const feature = Object.hasOwn(features, name) ? features[name] : null;
    if (feature === null) {
      const there = Object.keys(features).join(', ');
      throw unsuitable(label, `it has no column "${name}" for its prompt, only ${there}`);
    }
    const dtype = isRecord(feature) ? feature['dtype'] : null;
    if (dtype !== 'string' && dtype !== 'large_string') {
      throw unsuitable(label, `its column "${name}" holds no text`);
    }
  }
}

function findLabel(
  features: Features,
  answers: readonly string[] | null,
  label: string,
): LabelColumn {
  const fits = (feature: unknown): feature is Features =>
    isRecord(feature) &&
    (answers === null
      ? NUMBER_TYPES.includes(String(feature['dtype']))
      : feature['_type'] === 'ClassLabel');
  const found = Object.entries(features).find(([, feature]) => fits(feature));
  if (found === undefined) {
    throw unsuitable(label, `it has no ${answers === null ? 'number' : 'ClassLabel'} column`);
  }
  const [name, feature] = found;
  if (answers === null) return { name, classCount: null };
  const names = isRecord(feature) ? feature['names'] : null;
  const classCount = Array.isArray(names) ? names.length : 0;
  if (classCount !== answers.length) {
    throw unsuitable(
      label,
      `its column "${name}" has ${classCount} classes, but the task lists ${answers.length} answers`,
    );
  }
  return { name, classCount };
}

function textOf(row: Features, name: string, i: number, label: string): string {
  const text = row[name];
  if (typeof text === 'string') return text;
  throw unsuitable(label, `row ${i} has no text in column "${name}"`);
}

/** GLUE marks rows without a label, such as those of its test splits, by -1. */
function labelOf(row: Features, column: LabelColumn, i: number, label: string): number {
  const { name, classCount } = column;
  const value = Number(row[name] ?? Number.NaN);
  if (classCount === null) {
    if (Number.isFinite(value)) return value;
    throw unsuitable(label, `row ${i} has no number in column "${name}"`);
  }
  if (Number.isInteger(value) && value >= 0 && value < classCount) return value;
  throw unsuitable(label, `row ${i} has no label from 0 to ${classCount - 1} in column "${name}"`);
}

function unsuitable(label: string, what: string): PeruError {
  return new PeruError(
    'unsupported',
    `${label} can not score a task: ${what}.`,
    'Use a text data set written with datasets: string columns that the prompt names, and a ClassLabel or float column.',
  );
}
