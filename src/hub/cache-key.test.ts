import { describe, expect, it } from 'vitest';
import { type FixtureFile, memoryFile, repoOf } from '../../e2e/fixture-hub/content';
import { startFixtureHub } from '../../e2e/fixture-hub/start-fixture-hub';
import { openHubModel } from './hub-repo';
import { clientTo, modelFile } from './hub.fixture';
import { cacheKey } from './cache-key';
import { memoryStore } from '@/hub/cache/memory-store.fixture';
import { RangeCache } from '@/hub/cache/range-cache';

const KEY = `sha256-${'ab'.repeat(32)}`;

describe('cacheKey', () => {
  it('is the content’s hash on the public Hub, and one of its own on each other', () => {
    const hubs = [
      'https://huggingface.co',
      'http://huggingface.co',
      'https://huggingface.co:8443',
      'https://hub.example',
      'https://hub.example/one/',
      'https://hub.example/two/',
    ];
    const keys = hubs.map((hub) => cacheKey(new URL(hub), { contentKey: KEY }));
    expect(keys[0]).toBe(KEY);
    expect(new Set(keys).size).toBe(hubs.length);
    // They name folders.
    for (const key of keys) expect(key).toMatch(/^[\w.%-]{1,255}$/);
  });

  it('is none for what is not named by its content', () => {
    for (const contentKey of ['git-test.parquet', 'git-', 'sha256-..', `${KEY}/x`]) {
      expect(cacheKey(new URL('https://hub.example'), { contentKey })).toBeNull();
    }
  });
});

describe('two Hubs that list the same hashes', () => {
  /** Says of itself that it is another file. */
  const posing = (as: FixtureFile, content: Uint8Array | string): FixtureFile => {
    const file = memoryFile('x', content);
    expect(file.size).toBe(as.size);
    return { ...as, read: (start, end) => file.read(start, end) };
  };

  it('never serve each other’s bytes', async () => {
    const [weights, config] = [modelFile(1), '{"model_type":"clip"}'];
    const real = { weights: memoryFile('m.safetensors', weights), config: memoryFile('c', config) };
    const other = { weights: modelFile(2), config: config.replace('clip', 'bert') };
    const files = (of: { weights: FixtureFile; config: FixtureFile }) => [
      repoOf(
        'me/base',
        new Map([
          ['model.safetensors', of.weights],
          ['config.json', of.config],
        ]),
      ),
    ];
    const honest = await startFixtureHub({ repos: files(real) });
    const hostile = await startFixtureHub({
      repos: files({
        weights: posing(real.weights, other.weights),
        config: posing(real.config, other.config),
      }),
    });
    try {
      const store = memoryStore();
      const readFrom = async (hub: typeof honest) => {
        const client = clientTo(hub, { cache: new RangeCache(store) });
        const model = await openHubModel('me/base', client);
        const found = (await model.open('model.safetensors'))!;
        const text = await (await model.open('config.json'))!.text();
        return { bytes: Buffer.from(await found.arrayBuffer()), text, client };
      };
      const first = await readFrom(hostile);
      expect(Buffer.compare(first.bytes, other.weights)).toBe(0);
      for (const cached of [false, true]) {
        const { bytes, text, client } = await readFrom(honest);
        expect(Buffer.compare(bytes, weights)).toBe(0);
        expect(text).toBe(config);
        expect(client.traffic.cachedBytes > 0).toBe(cached);
      }
    } finally {
      await Promise.all([honest.close(), hostile.close()]);
    }
  });
});
