import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { type ImageDataset, openImageDataset } from './dataset';

const golden = (name: string) =>
  new Blob([readFileSync(new URL(`./golden/${name}.parquet`, import.meta.url))]);
const open = (name: string) => openImageDataset(golden(name), `${name}.parquet`);

describe('openImageDataset', () => {
  it('finds columns by their type and class names in label order', async () => {
    const dataset = await open('rows');
    expect(dataset.rowCount).toBe(7);
    expect(dataset.classNames).toEqual(['cat', 'dog', 'großer bär']);
  });

  it('reads any range of rows, across row groups', async () => {
    const dataset = await open('rows');
    for (let start = 0; start <= 7; start++) {
      for (let end = start; end <= 7; end++) {
        const rows = await dataset.readRows(start, end);
        expect(rows.map(({ label }) => label)).toEqual(
          Array.from({ length: end - start }, (_, i) => (start + i) % 3),
        );
        for (const [i, { bytes }] of rows.entries()) {
          // Row r holds r + 1 bytes of value r, alone in their buffer.
          expect([...bytes]).toEqual(Array(start + i + 1).fill(start + i));
          expect(bytes.buffer.byteLength).toBe(bytes.length);
        }
      }
    }
    await expect(dataset.readRows(5, 8)).rejects.toThrow(RangeError);
  });

  /** Ranges read from the file by `work`, after it was opened. */
  async function rangesRead(work: (dataset: ImageDataset) => Promise<unknown>) {
    const file = golden('rows');
    const dataset = await openImageDataset(file, 'rows.parquet');
    const slice = vi.spyOn(file, 'slice');
    await work(dataset);
    return slice.mock.calls;
  }

  it('decodes a row group once, in however many parts it is read', async () => {
    // The first two groups hold rows 0 to 2 and 3 to 5.
    const whole = await rangesRead((dataset) => dataset.readRows(0, 6));
    expect(whole.length).toBeGreaterThan(0);
    const inParts = await rangesRead(async (dataset) => {
      for (let row = 0; row < 6; row++) await dataset.readRows(row, row + 1);
    });
    expect(inParts).toEqual(whole);
    const atOnce = await rangesRead((dataset) =>
      Promise.all([dataset.readRows(0, 2), dataset.readRows(1, 6)]),
    );
    expect(atOnce).toEqual(whole);
  });

  it('holds no row group whose last row was read', async () => {
    const once = await rangesRead((dataset) => dataset.readRows(0, 3));
    const twice = await rangesRead(async (dataset) => {
      await dataset.readRows(0, 3);
      await dataset.readRows(0, 3);
    });
    expect(twice).toEqual([...once, ...once]);
  });

  it('reads again what failed before', async () => {
    const file = golden('rows');
    const dataset = await openImageDataset(file, 'rows.parquet');
    vi.spyOn(file, 'slice').mockImplementationOnce(() => {
      throw new TypeError('gone');
    });
    await expect(dataset.readRows(0, 1)).rejects.toThrow('rows.parquet');
    expect(await dataset.readRows(0, 1)).toHaveLength(1);
  });

  it.each([
    ['no-features', /lists no features/],
    ['no-label-column', /no ClassLabel column/],
    ['no-image-column', /no Image column/],
    ['no-classes', /names no classes/],
  ])('refuses %s at once', async (name, message) => {
    await expect(open(name)).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringMatching(message) as string,
    });
  });

  it.each([
    ['label-out-of-range', /row 1 has no label from 0 to 2 in column "label"/],
    ['label-missing', /row 1 has no label/],
    ['image-by-path', /row 1 has no image bytes in column "image"/],
  ])('refuses %s when the row is read', async (name, message) => {
    const dataset = await open(name);
    expect(await dataset.readRows(0, 1)).toHaveLength(1);
    await expect(dataset.readRows(1, 2)).rejects.toThrow(message);
  });

  it('names the codec it can not read', async () => {
    const dataset = await open('zstd');
    await expect(dataset.readRows(0, 2)).rejects.toMatchObject({
      kind: 'parse',
      message: expect.stringMatching(/zstd\.parquet.*ZSTD/) as string,
    });
  });

  it('refuses damaged files wherever they are cut', async () => {
    const whole = new Uint8Array(await golden('rows').arrayBuffer());
    for (let length = 0; length < whole.length; length += 37) {
      const cut = new Blob([whole.slice(0, length)]);
      await expect(openImageDataset(cut, 'cut.parquet')).rejects.toMatchObject({
        kind: expect.stringMatching(/parse|unsupported/) as string,
        message: expect.stringContaining('cut.parquet') as string,
      });
    }
  });
});
