import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type ImageSet,
  imageSetRepo,
  labelOf,
  pictureOf,
  textSetRepo,
} from '../../e2e/fixture-hub/dataset-repo';
import { type FixtureHub, startFixtureHub } from '../../e2e/fixture-hub/start-fixture-hub';
import { type ImageRow } from './dataset';
import { openHubImages, openHubTexts } from './hub-tests';
import { clientTo } from '@/hub/hub.fixture';

const SMALL: ImageSet = {
  id: 'o/small',
  classCount: 10,
  rows: 1000,
  sorted: true,
  colours: 'grey',
};
const LARGE: ImageSet = {
  id: 'o/large',
  folder: 'cropped',
  classCount: 20,
  rows: 2400,
  shards: 3,
  edge: 64,
  noisy: true,
  sorted: true,
};
const PLAIN: ImageSet = { ...LARGE, id: 'o/plain', dictionary: false };
const TINY: ImageSet = { id: 'o/tiny', classCount: 3, rows: 70, colours: 'rgba' };

// Thousands of pictures are drawn.
vi.setConfig({ testTimeout: 60_000 });

let hub: FixtureHub;

beforeAll(async () => {
  const dataSets = [
    ...[SMALL, LARGE, PLAIN, TINY].map(imageSetRepo),
    { ...imageSetRepo({ ...TINY, id: 'o/gated' }), gated: true },
    textSetRepo('o/glue', [
      { folder: 'rte', split: 'validation', columns: ['a', 'b'], classCount: 2, rows: 1300 },
      { folder: 'stsb', split: 'validation', columns: ['a', 'b'], classCount: 0, rows: 40 },
    ]),
  ];
  hub = await startFixtureHub({ repos: [], dataSets });
}, 60_000);

afterAll(() => hub.close());

function open(set: ImageSet, classCount = set.classCount, sampleRows?: number) {
  const client = clientTo(hub);
  const { id: repo, folder = 'data' } = set;
  const classNames = Array.from({ length: classCount }, (_, i) => `${i}`);
  const dataset = openHubImages(
    client,
    { repo, folder, split: 'test' },
    { classNames, sampleRows },
    {},
  );
  return dataset.then((opened) => ({ dataset: opened, client }));
}

/** Every picture by its bytes: which row it is. */
function rowsByPicture(set: ImageSet): Map<string, number> {
  const known = Array.from({ length: set.rows }, (_, row) => row);
  return new Map(known.map((row) => [Buffer.from(pictureOf(set, row)).toString('base64'), row]));
}

describe('image splits', () => {
  it.each([SMALL, LARGE, PLAIN])(
    'gives a mixed sample of $id, true to its rows',
    async (set) => {
      const { dataset } = await open(set);
      expect([dataset.rowCount, dataset.ofRowCount]).toEqual([512, set.rows]);
      const rows = await dataset.readRows(0, 512);
      const places = rowsByPicture(set);
      const found = rows.map(({ bytes }) => places.get(Buffer.from(bytes).toString('base64'))!);
      expect(new Set(found).size).toBe(512);
      for (const [i, row] of found.entries()) expect(rows[i]!.label).toBe(labelOf(set, row));
      // Sorted by class as they are, also the rows scored first hold every class.
      expect(new Set(rows.slice(0, 128).map(({ label }) => label)).size).toBe(set.classCount);
    },
    60_000,
  );

  it.each([LARGE, PLAIN])('moves little more of $id than the sample’s bytes', async (set) => {
    const { dataset, client } = await open(set);
    const before = client.traffic.fileBytes;
    expect(before).toBeLessThan(3 * 64 * 1024 + 1);
    const rows = await dataset.readRows(0, 512);
    const needed = rows.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect((client.traffic.fileBytes - before) / needed).toBeLessThan(1.25);
  });

  it('is the same every time, in whatever parts it is read', async () => {
    const hash = (rows: readonly ImageRow[]): string[] =>
      rows.map(({ bytes, label }) => `${createHash('sha1').update(bytes).digest('hex')} ${label}`);
    const one = await (await open(LARGE)).dataset.readRows(0, 512);
    const { dataset } = await open(LARGE);
    const parts = [await dataset.readRows(400, 512), await dataset.readRows(0, 400)];
    expect(hash([...parts[1]!, ...parts[0]!])).toEqual(hash(one));
    await expect(dataset.readRows(500, 513)).rejects.toThrow(RangeError);
  });

  it('takes all rows of a split that has no more', async () => {
    const { dataset } = await open(TINY);
    expect([dataset.rowCount, dataset.ofRowCount]).toEqual([70, 70]);
    expect(await dataset.readRows(0, 70)).toHaveLength(70);
  });

  it('refuses other classes than the preset’s', async () => {
    await expect(open(TINY, 4)).rejects.toMatchObject({
      kind: 'mismatch',
      message: expect.stringMatching(/3 classes.*names 4/) as string,
    });
  });

  it.each([
    [{ ...TINY, id: 'o/gated' }, /gated/],
    [{ ...TINY, id: 'o/gone' }, /no data set o\/gone/],
    // The Hub answers that with 404, as it does for repos.
    [
      { ...TINY, folder: 'other' },
      /data set o\/tiny has no parquet files of its split test in other/,
    ],
  ])('says why a split can not be read', async (set, message) => {
    await expect(open(set)).rejects.toMatchObject({
      kind: 'source',
      message: expect.stringMatching(message) as string,
    });
  });
});

describe('text splits', () => {
  const texts = (folder: string, answers: readonly string[] | null) => {
    const place = { repo: 'o/glue', folder, split: 'validation' };
    return openHubTexts(clientTo(hub), place, { prompt: "Is '{a}' '{b}'?", answers }, {});
  };

  it('gives a sample of the rows, evenly', async () => {
    const dataset = await texts('rte', ['yes', 'no']);
    expect([dataset.rowCount, dataset.ofRowCount, dataset.classCount]).toEqual([512, 1300, 2]);
    const rows = await dataset.readRows(0, 512);
    expect(rows).toHaveLength(512);
    expect(rows[0]!.prompt).toMatch(/^Is '\w+ .*' '\w+ .*'\?$/);
  });

  it('gives all of a small one, with numbers for labels', async () => {
    const dataset = await texts('stsb', null);
    expect([dataset.rowCount, dataset.ofRowCount, dataset.classCount]).toEqual([40, 40, null]);
    const labels = (await dataset.readRows(0, 40)).map(({ label }) => label);
    expect(new Set(labels).size).toBe(26);
  });
});
