import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repoOf } from '../../../e2e/fixture-hub/content';
import { type FixtureHub, startFixtureHub } from '../../../e2e/fixture-hub/start-fixture-hub';
import { findRepos } from './find-repos';
import { clientTo, modelFiles, TOKEN } from '@/hub/hub.fixture';

let hub: FixtureHub;

beforeAll(async () => {
  const files = modelFiles(1);
  hub = await startFixtureHub({
    repos: [
      repoOf('me/clip-small', files, { downloads: 5, likes: 2, tags: ['safetensors'] }),
      repoOf('me/clip-big', files, { downloads: 70, gated: true }),
      repoOf('you/clip-lora', files, { downloads: 60, library: 'peft', tags: ['safetensors'] }),
      repoOf('you/CLIP-tuned', files, { downloads: 50, tags: ['base_model:adapter:me/clip-big'] }),
      repoOf('you/clip-hidden', files, { downloads: 99, private: true }),
      repoOf('me/bert', files),
      ...Array.from({ length: 20 }, (_, i) => repoOf(`many/clip-${i}`, files)),
    ],
    tokens: { [TOKEN]: ['you/clip-hidden'] },
  });
});

afterAll(() => hub.close());

describe('findRepos', () => {
  it('finds what a visitor may see by any part of its name, most downloaded first', async () => {
    const found = await findRepos(clientTo(hub), ' clip', { limit: 4 });
    expect(found.map(({ repo }) => repo)).toEqual([
      'me/clip-big',
      'you/clip-lora',
      'you/CLIP-tuned',
      'me/clip-small',
    ]);
    expect(found[0]).toEqual({
      repo: 'me/clip-big',
      downloads: 70,
      likes: 0,
      gated: true,
      private: false,
      isAdapter: false,
      hasSafetensors: false,
    });
    expect(found.map(({ isAdapter }) => isAdapter)).toEqual([false, true, true, false]);
    expect(found.map(({ hasSafetensors }) => hasSafetensors)).toEqual([false, true, false, true]);
    expect((await findRepos(clientTo(hub), 'me/b')).map(({ repo }) => repo)).toEqual(['me/bert']);
    expect(await findRepos(clientTo(hub), 'clip')).toHaveLength(8);
  });

  it('finds private repos for whom they may be seen by, and sends the token to nobody else', async () => {
    const client = clientTo(hub, { accessToken: TOKEN });
    const [first] = await findRepos(client, 'clip', { limit: 1 });
    expect(first).toMatchObject({ repo: 'you/clip-hidden', private: true });
    expect(hub.requests.at(-1)).toMatchObject({ authorization: `Bearer ${TOKEN}` });
    expect(hub.requests.at(-1)?.path).not.toContain(TOKEN);
  });

  it('asks for nothing below two letters, and once for more', async () => {
    hub.clearLog();
    expect(await findRepos(clientTo(hub), ' c ')).toEqual([]);
    expect(hub.requests).toEqual([]);
    await findRepos(clientTo(hub), 'clip', { limit: 4 });
    expect(hub.requests).toHaveLength(1);
  });

  it('stops when it is told to', async () => {
    hub.fault({ kind: 'status', status: 503, path: /models\?/, times: Infinity });
    const stop = new AbortController();
    const asked = findRepos(clientTo(hub), 'clip', { signal: stop.signal });
    stop.abort(new Error('Something else was typed.'));
    await expect(asked).rejects.toThrow('Something else was typed.');
    hub.clearFaults();
  });

  it('says why there is no list', async () => {
    hub.fault({ kind: 'status', status: 429, path: /models\?/ });
    await expect(
      findRepos(clientTo(hub, { retry: { maxRetryAfterMs: 2000 } }), 'clip'),
    ).rejects.toThrow(/^The list of matching repos could not be fetched: .*too many requests/);
    const wrong = clientTo(hub, { accessToken: 'hf_wrong' });
    await expect(findRepos(wrong, 'clip')).rejects.toThrow(/did not accept the access token/);
  });
});
