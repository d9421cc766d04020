import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { writeParquet } from '../../e2e/fixture-hub/parquet-writer';
import { openParquet } from './parquet-file';

const COLUMNS = { file: 'image', value: 'label' };

function golden(name: string): Blob {
  return new Blob([readFileSync(new URL(`./golden/sample-${name}.parquet`, import.meta.url))]);
}

/** A blob that tells how much of it was read. */
function counted(blob: Blob): { readonly blob: Blob; readonly bytes: () => number } {
  let bytes = 0;
  const slice = blob.slice.bind(blob);
  blob.slice = (start = 0, end = blob.size) => {
    bytes += end - start;
    return slice(start, end);
  };
  return { blob, bytes: () => bytes };
}

/** Labels and pictures as text; null for a row without a picture. */
function told(rows: readonly unknown[]): unknown[] {
  return rows.map((row) => {
    const { image, label } = row as { image: { bytes: Uint8Array | null } | null; label: bigint };
    const bytes = image?.bytes ?? null;
    return [Number(label), bytes === null ? null : Buffer.from(bytes).toString('hex')];
  });
}

// Written by pyarrow; read whole by hyparquet, which is the oracle here.
describe.each(['dictionary', 'plain', 'pages', 'v2', 'v2-plain', 'unpacked', 'repeated', 'null'])(
  'the first rows of a group, %s',
  (name) => {
    it('are what reading all of it gives', async () => {
      const file = await openParquet(golden(name), name);
      expect(file.groups.map(({ rowCount }) => rowCount)).toEqual([25, 25, 10]);
      for (const [group, { rowStart, rowCount }] of file.groups.entries()) {
        const all = await file.rows(['image', 'label'], { utf8: false })(
          rowStart,
          rowStart + rowCount,
        );
        for (const count of [1, 2, 7, rowCount]) {
          const first = await file.firstRows(group, COLUMNS, count);
          expect(told(first!)).toEqual(told(all.slice(0, count)));
        }
      }
    });
  },
);

describe('the first rows of a group', () => {
  it.each(['plain', 'pages', 'unpacked'])('cost little more than they hold: %s', async (name) => {
    const { blob, bytes } = counted(golden(name));
    const file = await openParquet(blob, name);
    const before = bytes();
    await file.firstRows(0, COLUMNS, 2);
    // Two rows of some 150 bytes, room for headers, and the labels.
    expect(bytes() - before).toBeLessThan(1800);
    expect(file.groups[0]!.byteLength).toBeGreaterThan(3000);
  });

  it.each([
    { dictionary: true, snappy: true },
    { dictionary: true, snappy: false },
    { dictionary: false, snappy: true },
    { dictionary: false, snappy: false },
  ])('are read on where they are longer than most: %o', async (options) => {
    const lengths = [9000, 4000, 2, ...Array<number>(97).fill(30)];
    const images = lengths.map((length, row) => randomBytes(length).fill(row, 0, 2));
    const bytes = writeParquet(
      [
        { path: ['image', 'bytes'], kind: 'bytes', values: images },
        { path: ['image', 'path'], kind: 'text', values: images.map((_, row) => `${row}.png`) },
        { path: ['label'], kind: 'int', values: images.map((_, row) => row % 3) },
      ],
      { rowsPerGroup: 100, ...options },
    );
    const file = await openParquet(new Blob([bytes]), 'long');
    expect(told((await file.firstRows(0, COLUMNS, 4))!)).toEqual(
      images.slice(0, 4).map((image, row) => [row % 3, image.toString('hex')]),
    );
  });

  it('are not to be had from pages that only unpack whole', async () => {
    const file = await openParquet(golden('gzip'), 'gzip');
    expect(await file.firstRows(0, COLUMNS, 2)).toBeNull();
  });

  it('fail by name where pages are damaged', async () => {
    const bytes = readFileSync(new URL('./golden/sample-plain.parquet', import.meta.url));
    for (let at = 4; at < 2000; at += 13) {
      const broken = new Uint8Array(bytes);
      broken.fill(0xff, at, at + 8);
      const file = await openParquet(new Blob([broken]), 'broken.parquet');
      // Noise may be damaged unseen; what breaks the format must be told.
      const read = file.firstRows(0, COLUMNS, 5);
      await read.catch((error: unknown) => {
        expect(error).toMatchObject({
          kind: 'parse',
          message: expect.stringContaining('broken.parquet') as string,
        });
      });
    }
  });
});
