import { afterAll, beforeAll, expect, it } from 'vitest';
import { memoryFiles, repoOf } from '../../e2e/fixture-hub/content';
import { type FixtureHub, startFixtureHub } from '../../e2e/fixture-hub/start-fixture-hub';
import { counted, TOKEN } from './hub.fixture';

let hub: FixtureHub;

const ROWS = counted(5000);

beforeAll(async () => {
  const files = memoryFiles({ 'README.md': '# Pictures', 'data/test.parquet': ROWS });
  hub = await startFixtureHub({
    // A model of the same name is another repo.
    repos: [repoOf('me/pictures', memoryFiles({ 'config.json': '{}' }))],
    dataSets: [
      repoOf('me/pictures', files),
      repoOf('me/hidden', files, { private: true }),
      'me/name-only',
    ],
    tokens: { [TOKEN]: ['me/hidden'] },
  });
});

afterAll(() => hub.close());

it('serves data sets as the Hub does: listed, by ranges, on another origin, to who may see', async () => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(hub.hubUrl + path, { headers });
  const tree = await get('/api/datasets/me/pictures/tree/main?recursive=true');
  const paths = ((await tree.json()) as { type: string; path: string }[])
    .filter(({ type }) => type === 'file')
    .map(({ path }) => path);
  expect(paths).toEqual(['README.md', 'data/test.parquet']);
  const part = await get('/datasets/me/pictures/resolve/main/data/test.parquet', {
    range: 'bytes=100-199',
  });
  expect(part.status).toBe(206);
  expect(new URL(part.url).origin).toBe(hub.contentUrl);
  expect(new Uint8Array(await part.arrayBuffer())).toEqual(ROWS.subarray(100, 200));
  const card = await get('/datasets/me/pictures/resolve/main/README.md');
  expect(await card.text()).toBe('# Pictures');
  expect((await get('/api/models/me/pictures/tree/main')).status).toBe(200);
  expect((await get('/me/pictures/resolve/main/README.md')).status).toBe(404);
  expect((await get('/api/datasets/me/name-only')).status).toBe(200);
  expect((await get('/api/datasets/me/hidden')).status).toBe(401);
  const authorization = `Bearer ${TOKEN}`;
  expect((await get('/api/datasets/me/hidden', { authorization })).status).toBe(200);
});
