/** What the tests of this folder share: a fixture Hub with one small model, and impatient retries. */
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type ByteSource } from '@/tensor/byte-source';
import { readRange } from '@/tensor/safetensors';
import { soundFile } from '@/tensor/safetensors.fixture';
import { type FixtureFiles, memoryFiles, repoOf } from '../../e2e/fixture-hub/content';
import { type FixtureHub, startFixtureHub } from '../../e2e/fixture-hub/start-fixture-hub';
import { pageFetch } from '../../e2e/fixture-hub/page-fetch';
import { type Clock } from '@/core/clock';
import { HubClient, type HubOptions } from './hub-client';
import { openHubModel } from './hub-repo';

export const TOKEN = 'hf_secretsecretsecret';
export const STRANGER = 'hf_strangerstranger';

/** Bytes that tell their place. */
export function counted(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7 + seed) & 255);
}

export function modelFile(seed: number, elements = 50_000): Uint8Array<ArrayBuffer> {
  const bytes = counted(4 * elements, seed);
  // Nothing with all exponent bits set: no NaN, no Inf.
  for (let i = 3; i < bytes.length; i += 4) bytes[i] = bytes[i]! & 0x3f;
  const half = 2 * elements;
  return soundFile({
    'a.weight': { dtype: 'F32', shape: [elements / 2], bytes: bytes.subarray(0, half) },
    'b.weight': { dtype: 'F32', shape: [elements / 2], bytes: bytes.subarray(half) },
  });
}

export function modelFiles(seed: number): FixtureFiles {
  return memoryFiles({
    'config.json': '{"model_type":"clip"}',
    'README.md': '---\nlicense: mit\n---\n',
    'model.safetensors': modelFile(seed),
  });
}

/** Starts a Hub for a test file, and ends what a test did to it. */
export function useFixtureHub(): { readonly hub: FixtureHub } {
  const held: { hub: FixtureHub | null } = { hub: null };
  beforeAll(async () => {
    held.hub = await startFixtureHub({
      repos: [
        repoOf('me/base', modelFiles(1)),
        repoOf('me/task', modelFiles(2)),
        repoOf('me/gated', modelFiles(3), { gated: true }),
        repoOf('me/private', modelFiles(4), { private: true }),
        repoOf('me/xet', modelFiles(5), { xet: true }),
        repoOf('me/disabled', modelFiles(6), { disabled: true }),
      ],
      tokens: { [TOKEN]: ['me/gated', 'me/private', 'me/base'], [STRANGER]: [] },
      dataSets: ['me/pictures'],
      moved: { old: 'me/base' },
    });
  });
  afterEach(() => {
    held.hub?.clearFaults();
    held.hub?.clearLog();
  });
  afterAll(async () => {
    await held.hub?.close();
  });
  return {
    get hub() {
      return held.hub!;
    },
  };
}

export function clientTo(hub: FixtureHub, options: HubOptions = {}): HubClient {
  const retry = { baseDelayMs: 1, maxDelayMs: 4, stallMs: 2000, ...options.retry };
  return new HubClient({ hubUrl: hub.hubUrl, fetch: pageFetch, ...options, retry });
}

/** Opens the weights of a repo through a door, and forgets what that asked of the Hub. */
export function fileOpener(held: { readonly hub: FixtureHub }) {
  return async (client: HubClient, repo = 'me/base', signal?: AbortSignal): Promise<ByteSource> => {
    const model = await openHubModel(repo, client);
    const blob = await model.open('model.safetensors', signal === undefined ? {} : { signal });
    held.hub.clearLog();
    return blob!;
  };
}

export const read = (blob: ByteSource, start: number, end: number, signal?: AbortSignal) =>
  readRange(blob, start, end, 'file', signal);

/** As toEqual, which looks at one element after another, too slowly for whole files. */
export function expectSame(bytes: Uint8Array, expected: Uint8Array): void {
  expect(bytes.length).toBe(expected.length);
  expect(Buffer.compare(bytes, expected)).toBe(0);
}

/** A clock on which no wait takes time, and what it was asked to wait for, in ms. */
export function steppedClock(): Clock & { readonly waits: readonly number[] } {
  const waits: number[] = [];
  let now = Date.now();
  return {
    waits,
    now: () => now,
    sleep: (ms, signal) => {
      signal.throwIfAborted();
      waits.push(ms);
      now += ms;
      return Promise.resolve();
    },
  };
}
