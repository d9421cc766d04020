import { readFileSync } from 'node:fs';
import { type BrowserContext } from '@playwright/test';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { type ParquetColumn, writeParquet } from './fixture-hub/parquet-writer';

/**
 * How much of the demos a journey sees: all of them where it compares with torch or looks at the
 * whole table; two tasks where it compares files with those of another run; else two tasks and the
 * beginnings of their test sets, which are stratified. What a journey waits for is their scoring.
 */
export type ZooExtent = 'whole' | 'two-tasks' | 'short';

const MANIFESTS = ['zoo/zoo.json', 'zoo/text/manifest.json'];
const TASK_COUNT = 2;
const ROWS = 64;

export async function shortenZoo(context: BrowserContext, extent: ZooExtent): Promise<void> {
  if (extent === 'whole') return;
  for (const path of MANIFESTS) {
    const manifest = JSON.parse(readFileSync(`public/${path}`, 'utf8')) as { tasks: unknown[] };
    const json = { ...manifest, tasks: manifest.tasks.slice(0, TASK_COUNT) };
    await context.route(`**/${path}`, (route) => route.fulfill({ json }));
  }
  if (extent === 'two-tasks') return;
  await context.route('**/zoo/**/*.parquet', async (route) => {
    const { pathname } = new URL(route.request().url());
    const body = await firstRows(`public${pathname.slice(pathname.indexOf('/zoo/'))}`);
    await route.fulfill({ body, contentType: 'application/octet-stream' });
  });
}

const SHORTENED = new Map<string, Buffer>();

async function firstRows(path: string): Promise<Buffer> {
  const known = SHORTENED.get(path);
  if (known !== undefined) return known;
  const file = new Uint8Array(readFileSync(path)).buffer;
  const rows = await parquetReadObjects({ file, rowEnd: ROWS, utf8: false });
  const columns = Object.keys(rows[0]!).flatMap((name) => columnsOf(name, rows));
  const shortened = Buffer.from(
    writeParquet(columns, { rowsPerGroup: ROWS, snappy: true, features: featuresOf(file) }),
  );
  SHORTENED.set(path, shortened);
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
