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

/** Numbers in headers are believed before there is anything to see; these lie. */
describe('a file that claims too much', () => {
  const ROWS = 40;
  const images = Array.from({ length: ROWS }, (_, row) => new Uint8Array(30).fill(row));
  const label = { path: ['label'], kind: 'int', values: images.map((_, row) => row % 3) } as const;
  const image = { path: ['image', 'bytes'], kind: 'bytes', values: images } as const;
  /** An i32 or i64 as Thrift's compact protocol has it. */
  const thriftInt = (value: number): number[] => {
    const bytes: number[] = [];
    let left = value < 0 ? -2 * value - 1 : 2 * value;
    for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
    return [...bytes, left];
  };
  const swapped = (bytes: Uint8Array, from: readonly number[], to: readonly number[]): number[] => {
    const at = Buffer.from(bytes).indexOf(Buffer.from(from));
    expect(at).toBeGreaterThanOrEqual(0);
    return [...bytes.subarray(0, at), ...to, ...bytes.subarray(at + from.length)];
  };
  const refused = (claim: string) => ({
    kind: 'parse',
    message: expect.stringMatching(new RegExp(`^hostile.parquet .*${claim}`)) as string,
  });
  const open = (bytes: readonly number[]) =>
    openParquet(new Blob([Uint8Array.from(bytes)]), 'hostile.parquet');

  it('is refused by its row count', async () => {
    const whole = writeParquet([label], { rowsPerGroup: ROWS });
    const footerBytes = new DataView(whole.buffer).getUint32(whole.length - 8, true);
    const footer = whole.subarray(whole.length - 8 - footerBytes, -8);
    for (const [rows, claim] of [
      [2e7, 'row group 0 counts 20000000 rows'],
      [41, 'counts 40 rows, and its row groups 41'],
    ] as const) {
      // The group's count is its last field, before the ends of group and footer.
      const end = [0x16, ...thriftInt(ROWS), 0, 0];
      const lying = swapped(footer, end, [0x16, ...thriftInt(rows), 0, 0]);
      const pages = whole.subarray(0, whole.length - 8 - footerBytes);
      const length = [lying.length & 255, lying.length >> 8, 0, 0];
      const file = open([...pages, ...lying, ...length, ...Buffer.from('PAR1')]);
      await expect(file).rejects.toMatchObject(refused(claim));
    }
  });

  // Field 2 or 3 of a page's header, behind its type; then the first field of the page's own.
  const SIZE = 2 ** 26 + 1;
  const sizes = (body: Uint8Array, edit: (sizes: [number, number]) => [number, number]) => {
    const at = 4;
    const reader = body.subarray(at, at + 8);
    expect([reader[0], reader[1], reader[2], reader[5]]).toEqual([0x15, 0, 0x15, 0x15]);
    const size = ((reader[3]! & 127) | (reader[4]! << 7)) / 2;
    const [unpacked, packed] = edit([size, size]);
    return swapped(
      body,
      [0x15, 0, 0x15, ...thriftInt(size), 0x15, ...thriftInt(size)],
      [0x15, 0, 0x15, ...thriftInt(unpacked), 0x15, ...thriftInt(packed)],
    );
  };

  it.each([
    ['unpacked', ([, packed]: [number, number]): [number, number] => [SIZE, packed]],
    ['packed', ([unpacked]: [number, number]): [number, number] => [unpacked, SIZE]],
    ['negative', ([unpacked]: [number, number]): [number, number] => [unpacked, -SIZE]],
  ])('is refused by the size of a page: %s', async (_what, edit) => {
    const labels = await open(sizes(writeParquet([label], { rowsPerGroup: ROWS }), edit));
    const claim = 'a page claims -?\\d{8,} bytes';
    await expect(labels.rows(['label'])(0, ROWS)).rejects.toMatchObject(refused(claim));
    const pictures = await open(sizes(writeParquet([image, label], { rowsPerGroup: ROWS }), edit));
    await expect(pictures.firstRows(0, COLUMNS, 3)).rejects.toMatchObject(refused(claim));
  });

  it('is refused by the values of a page', async () => {
    const whole = writeParquet([label], { rowsPerGroup: ROWS });
    const lying = swapped(whole, [0x2c, 0x15, ...thriftInt(ROWS)], [0x2c, 0x15, ...thriftInt(2e7)]);
    const file = await open(lying);
    const read = file.rows(['label'])(0, ROWS);
    await expect(read).rejects.toMatchObject(refused('a page claims 20000000 values'));
  });

  it('is refused by what Snappy announces', async () => {
    const whole = writeParquet([label], { rowsPerGroup: ROWS, snappy: true });
    // 326 bytes of levels and numbers, in groups of seven bits before the first literal.
    const lying = swapped(whole, [0xc6, 0x02, 0xf4], [0xc6, 0x7f, 0xf4]);
    const file = await open(lying);
    const read = file.rows(['label'])(0, ROWS);
    await expect(read).rejects.toMatchObject(refused('announces 16326 bytes, and its page 326'));
  });
});
