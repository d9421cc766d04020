import { readFileSync } from 'node:fs';
import { type BrowserContext } from '@playwright/test';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { type ParquetColumn, writeParquet } from './fixture-hub/parquet-writer';

/**
 * How much of the demos a journey sees: all of them where it looks at the whole table, or compares all
 * rows with torch's; the first rows of all tasks where it compares those; two tasks where it compares
 * files with those of another run; else two tasks and the beginnings of their test sets, which are
 * stratified. What a journey waits for is their scoring.
 */
export type ZooExtent = keyof typeof EXTENTS;

/** Rows of which torch's tables tell the scores beside those of all rows. */
export const FIRST_ROWS = 128;

const EXTENTS = {
  whole: { tasks: 8, rows: Infinity },
  'first-rows': { tasks: 8, rows: FIRST_ROWS },
  'two-tasks': { tasks: 2, rows: Infinity },
  short: { tasks: 2, rows: 64 },
} as const;

const MANIFESTS = ['/zoo/zoo.json', '/zoo/text/manifest.json'];

interface Answer {
  readonly body: string | Buffer;
  readonly contentType: string;
}

/** What the page's server is taken to answer; null where it answers itself. */
export async function shortAnswer(pathname: string, extent: ZooExtent): Promise<Answer | null> {
  const { tasks, rows } = EXTENTS[extent];
  const path = pathname.slice(Math.max(0, pathname.indexOf('/zoo/')));
  if (MANIFESTS.includes(path)) {
    const manifest = JSON.parse(readFileSync(`public${path}`, 'utf8')) as { tasks: unknown[] };
    const body = JSON.stringify({ ...manifest, tasks: manifest.tasks.slice(0, tasks) });
    return { body, contentType: 'application/json' };
  }
  if (rows === Infinity || !/^\/zoo\/.*\.parquet$/.test(path)) return null;
  return { body: await firstRows(`public${path}`, rows), contentType: 'application/octet-stream' };
}

export async function shortenZoo(context: BrowserContext, extent: ZooExtent): Promise<void> {
  if (extent === 'whole') return;
  await context.route(/\/zoo\/(?:.*\.parquet|zoo\.json|text\/manifest\.json)$/, async (route) => {
    const answer = await shortAnswer(new URL(route.request().url()).pathname, extent);
    await (answer === null ? route.fallback() : route.fulfill(answer));
  });
}

const SHORTENED = new Map<string, Buffer>();

async function firstRows(path: string, count: number): Promise<Buffer> {
  const key = `${path} ${count}`;
  const known = SHORTENED.get(key);
  if (known !== undefined) return known;
  const file = new Uint8Array(readFileSync(path)).buffer;
  const rows = await parquetReadObjects({ file, rowEnd: count, utf8: false });
  const columns = Object.keys(rows[0]!).flatMap((name) => columnsOf(name, rows));
  const shortened = Buffer.from(
    writeParquet(columns, { rowsPerGroup: count, snappy: true, features: featuresOf(file) }),
  );
  SHORTENED.set(key, shortened);
  return shortened;
}

/** Pictures are a struct of bytes and a path; all else is text or a number. */
function columnsOf(name: string, rows: readonly Record<string, unknown>[]): ParquetColumn[] {
  const values = rows.map((row) => row[name]);
  const [first] = values;
  if (typeof first === 'bigint') {
    return [{ path: [name], kind: 'int', values: values.map(Number) }];
  }
  if (typeof first === 'number') {
    return [{ path: [name], kind: 'double', values: values as number[] }];
  }
  if (typeof first === 'string') {
    return [{ path: [name], kind: 'text', values: values as string[] }];
  }
  const pictures = values as { bytes: Uint8Array; path: string }[];
  return [
    { path: [name, 'bytes'], kind: 'bytes', values: pictures.map(({ bytes }) => bytes) },
    { path: [name, 'path'], kind: 'text', values: pictures.map(({ path }) => path) },
  ];
}

/** What `datasets` says of the columns, class names among it. */
function featuresOf(file: ArrayBuffer): Readonly<Record<string, unknown>> {
  const { key_value_metadata: entries = [] } = parquetMetadata(file);
  const { value } = entries.find(({ key }) => key === 'huggingface')!;
  const { info } = JSON.parse(value!) as { info: { features: Record<string, unknown> } };
  return info.features;
}
