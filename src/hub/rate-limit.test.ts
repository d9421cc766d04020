/** Limits on requests as a page meets them: the Hub says for how long, and no page may read it. */
import { describe, expect, it, vi } from 'vitest';
import { type Pause } from '@/formats/checkpoint/checkpoint-source';
import { openHubModel } from './hub-repo';
import { clientTo, modelFile, steppedClock, useFixtureHub } from './hub.fixture';
import { uploadToHub } from '@/hub/upload/upload';
import { WRITER, uploadTo, useUploadHub } from '@/hub/upload/upload.fixture';
import { pageFetch } from '../../e2e/fixture-hub/page-fetch';

// Machines that run tests may be busy.
vi.setConfig({ testTimeout: 30_000 });

const held = useFixtureHub();
const FILE = /model\.safetensors/;
const limited = (times: number, path = FILE) =>
  ({ kind: 'status', status: 429, server: 'hub', path, times }) as const;

/** A client whose waits take no time, with what it told of its pauses. */
function limitedClient() {
  const clock = steppedClock();
  const told: (Pause | null)[] = [];
  const client = clientTo(held.hub, { clock, onPause: (pause) => void told.push(pause) });
  return { clock, told, client };
}

const asked = (path: RegExp) => held.hub.requests.filter((one) => path.test(one.path));

describe('a limit of unknown length', () => {
  it('is waited for 30 to 60 seconds at a time, told with its end, and gone when it is', async () => {
    const { clock, told, client } = limitedClient();
    const model = await openHubModel('me/base', client);
    const blob = (await model.open('model.safetensors'))!;
    held.hub.fault(limited(3));
    const start = clock.now();
    expect(new Uint8Array(await blob.slice(0, 100).arrayBuffer())).toEqual(
      modelFile(1).subarray(0, 100),
    );
    expect(clock.waits).toHaveLength(3);
    for (const wait of clock.waits) {
      expect(wait).toBeGreaterThanOrEqual(30_000);
      expect(wait).toBeLessThanOrEqual(60_000);
    }
    const { host } = new URL(held.hub.hubUrl);
    expect(told.at(0)).toEqual({ host, untilMs: start + clock.waits[0]! });
    expect(told.at(-1)).toBeNull();
  });

  it('is given up after no more than 330 seconds, with what to do', async () => {
    const { clock, client } = limitedClient();
    held.hub.fault(limited(Infinity, /api\/models/));
    await expect(openHubModel('me/base', client)).rejects.toMatchObject({
      message: expect.stringMatching(/too many requests from this network \(429\)/) as string,
      hint: expect.stringMatching(/in a few minutes/) as string,
    });
    const waited = clock.waits.reduce((sum, ms) => sum + ms, 0);
    expect(waited).toBeGreaterThan(330_000 - 60_000);
    expect(waited).toBeLessThanOrEqual(330_000);
  });

  it('quiets every other request of the client, and a cancelled one stops at once', async () => {
    const reached = vi.fn<(ms: number) => void>();
    const clock = {
      now: () => 1_000_000,
      sleep: (ms: number, signal: AbortSignal) => {
        reached(ms);
        return new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        });
      },
    };
    const client = clientTo(held.hub, { clock });
    const stop = new AbortController();
    const model = await openHubModel('me/base', client);
    const blob = (await model.open('model.safetensors', { signal: stop.signal }))!;
    held.hub.clearLog();
    held.hub.fault(limited(1));
    const first = blob.slice(0, 100).arrayBuffer();
    first.catch(() => undefined);
    await vi.waitFor(() => {
      expect(reached).toHaveBeenCalledTimes(1);
    });
    const second = openHubModel('me/task', client, { signal: stop.signal });
    second.catch(() => undefined);
    await vi.waitFor(() => {
      expect(reached).toHaveBeenCalledTimes(2);
    });
    expect(asked(/./)).toHaveLength(1);
    stop.abort(new Error('Cancelled.'));
    await expect(first).rejects.toThrow('Cancelled.');
    await expect(second).rejects.toThrow('Cancelled.');
    expect(asked(/./)).toHaveLength(1);
  });
});

describe('a limit on uploads', () => {
  const uploads = useUploadHub();

  it('quiets the whole upload, and says so', async () => {
    const clock = steppedClock();
    const told: (Pause | null)[] = [];
    uploads.hub.fault({ kind: 'status', status: 429, path: /preupload/, times: 5 });
    const onPause = (pause: Pause | null) => void told.push(pause);
    await uploadToHub(
      uploadTo(uploads.hub, { clock, onPause, fetch: pageFetch, accessToken: WRITER }),
    );
    expect(clock.waits).toHaveLength(5);
    expect(told.at(0)).toMatchObject({ host: new URL(uploads.hub.hubUrl).host });
    expect(told.at(-1)).toBeNull();
  });
});
