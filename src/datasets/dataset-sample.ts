/**
 * A test split of which a sample of rows is read, by ranges: evenly from all over it, so that
 * classes are mixed even where the file is sorted by them.
 */
import { type ByteSource } from '@/tensor/byte-source';
import { PeruError } from '@/core/errors';
import {
  findColumns,
  type ImageColumns,
  type ImageDataset,
  imageRow,
  type ImageRow,
} from './dataset';
import { openParquet, type ParquetFile } from './parquet-file';
import { type GroupPicks, mixedOrder, pickRows } from './dataset-picks';
import { groupRuns } from './group-runs';

/** Rows scored of each task. The 95 % interval of an accuracy is then at most 4.4 points each way. */
export const SPLIT_SAMPLE_ROWS = 512;
/** Row groups decoded at the same time; the door to the Hub has limits of its own. */
const GROUPS_TOGETHER = 6;
/** Groups of which more than this part is needed are read whole. */
const WHOLE_GROUP_SHARE = 0.6;
/** So are groups up to this size, in bytes: the first rows alone take two requests or three. */
const SMALL_GROUP_BYTES = 512 * 1024;

/** A file of a split. */
export interface Shard {
  readonly blob: ByteSource;
  /** For messages. */
  readonly name: string;
}

export interface SampleOptions {
  readonly name: string;
  /** In label order; the split's own labels must be as many. */
  readonly classNames: readonly string[];
  /** Default: SPLIT_SAMPLE_ROWS. */
  readonly sampleRows?: number;
}

/**
 * Reads the footers of a split's files and chooses rows; the rows are read all together, when the
 * first of them are asked for, and kept packed as they came.
 *
 * @throws PeruError `parse`, `unsupported` or `source` as `openImageDataset`; `mismatch` where
 *   the split has other classes than those named
 */
export async function openImageSample(
  shards: readonly Shard[],
  options: SampleOptions,
): Promise<ImageDataset> {
  const { name, classNames, sampleRows = SPLIT_SAMPLE_ROWS } = options;
  const files = await openShards(shards);
  const columns = { ...sampleColumns(files[0]!, shards[0]!.name, classNames), classNames };
  const picks = pickRows(
    files.map(({ groups }) => groups),
    sampleRows,
  );
  const rowCount = picks.reduce((sum, { rows }) => sum + rows.length, 0);
  let kept: Promise<KeptRows> | null = null;
  return {
    name,
    rowCount,
    ofRowCount: files.reduce((sum, file) => sum + file.rowCount, 0),
    classNames,
    async readRows(start, end) {
      if (!(start >= 0 && start <= end && end <= rowCount)) {
        throw new RangeError(`Rows ${start} to ${end} lie outside ${name} (${rowCount} rows).`);
      }
      kept ??= keepRows(files, shards, picks, columns).catch((cause: unknown) => {
        kept = null;
        throw cause;
      });
      return rowsOf(await kept, start, end);
    },
  };
}

/** @throws PeruError `source` where there is no file */
async function openShards(shards: readonly Shard[]): Promise<ParquetFile[]> {
  if (shards.length === 0) throw new Error('A split without files was opened.');
  return Promise.all(shards.map(({ blob, name }) => openParquet(blob, name)));
}

function sampleColumns(
  { features }: ParquetFile,
  fileName: string,
  classNames: readonly string[],
): Pick<ImageColumns, 'image' | 'label'> {
  // Without a word from the footer, the names that all these sets use; rows are checked anyway.
  if (features === null) return { image: 'image', label: 'label' };
  const { classNames: own, ...columns } = findColumns(features, fileName);
  if (own.length === classNames.length) return columns;
  throw new PeruError(
    'mismatch',
    `${fileName} has ${own.length} classes, but the preset names ${classNames.length}.`,
    'The data set has changed since the preset was made: report it, so that the preset is brought up to date.',
  );
}

/** The sample's images end to end: the browser may move a large Blob out of memory. */
interface KeptRows {
  readonly images: ByteSource;
  readonly ends: readonly number[];
  readonly labels: readonly number[];
}

async function keepRows(
  files: readonly ParquetFile[],
  shards: readonly Shard[],
  picks: readonly GroupPicks[],
  columns: ImageColumns,
): Promise<KeptRows> {
  const found = new Map<GroupPicks, readonly ImageRow[]>();
  const runs = runsOf(picks, files);
  const work = async (): Promise<void> => {
    for (let run = runs.shift(); run !== undefined; run = runs.shift()) {
      const { shard } = run.picks[0];
      const rows = await readRun(files[shard]!, shards[shard]!.name, run, columns);
      for (const [i, pick] of run.picks.entries()) found.set(pick, rows[i]!);
    }
  };
  await Promise.all(Array.from({ length: GROUPS_TOGETHER }, work));
  const all = picks.flatMap((pick) => found.get(pick)!);
  const rows = mixedOrder(all.length).map((i) => all[i]!);
  let end = 0;
  return {
    images: new Blob(rows.map(({ bytes }) => bytes)),
    ends: rows.map(({ bytes }) => (end += bytes.length)),
    labels: rows.map(({ label }) => label),
  };
}

/** Groups of one file that are read together; of a single one perhaps the first rows alone. */
interface Run {
  readonly picks: readonly [GroupPicks, ...GroupPicks[]];
  readonly isWhole: boolean;
}

function runsOf(picks: readonly GroupPicks[], files: readonly ParquetFile[]): Run[] {
  const isWhole = (pick: GroupPicks): boolean => {
    const { rowCount, byteLength } = files[pick.shard]!.groups[pick.group]!;
    return byteLength <= SMALL_GROUP_BYTES || neededRows(pick) > WHOLE_GROUP_SHARE * rowCount;
  };
  const facts = files.map(({ groups }) => groups);
  const inPart = picks.filter((pick) => !isWhole(pick));
  return [
    ...inPart.map((pick): Run => ({ picks: [pick], isWhole: false })),
    ...groupRuns(picks.filter(isWhole), facts).map((run): Run => ({ picks: run, isWhole: true })),
  ];
}

/** Rows of a group up to the last one picked. */
function neededRows({ rows }: GroupPicks): number {
  return rows.at(-1)! + 1;
}

/** Rows picked of each group of a run. */
async function readRun(
  file: ParquetFile,
  name: string,
  { picks, isWhole }: Run,
  columns: ImageColumns,
): Promise<ImageRow[][]> {
  const [first] = picks;
  const names = { file: columns.image, value: columns.label };
  const part = isWhole ? null : await file.firstRows(first.group, names, neededRows(first));
  const groups = picks.map(({ group }) => group);
  const whole = [columns.image, columns.label];
  const raw = part === null ? await file.wholeGroups(groups, whole, { utf8: false }) : [part];
  return picks.map(({ group, rows }, i) => {
    const { rowStart } = file.groups[group]!;
    return rows.map((row) => imageRow(raw[i]![row], rowStart + row, columns, name));
  });
}

async function rowsOf({ images, ends, labels }: KeptRows, start: number, end: number) {
  const from = start === 0 ? 0 : ends[start - 1]!;
  const bytes = await images.slice(from, ends[end - 1] ?? 0).arrayBuffer();
  return labels.slice(start, end).map((label, i): ImageRow => {
    const at = (i === 0 ? from : ends[start + i - 1]!) - from;
    return { bytes: new Uint8Array(bytes.slice(at, ends[start + i]! - from)), label };
  });
}
