/** Repos that the Hub refuses, and networks that do not reach it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { repoOf } from '../../e2e/fixture-hub/content';
import { startFixtureHub } from '../../e2e/fixture-hub/start-fixture-hub';
import { openWeights } from '@/formats/checkpoint/checkpoint-source';
import { type HubCheckpoint, openHubModel } from './hub-repo';
import { clientTo, modelFiles, STRANGER, TOKEN, useFixtureHub } from './hub.fixture';

const held = useFixtureHub();

describe('what the Hub refuses', () => {
  const opened = async (text: string, accessToken?: string) => {
    const client = clientTo(held.hub, { accessToken, retry: { maxFailures: 2 } });
    return (await openHubModel(text, client)) as HubCheckpoint;
  };
  const weights = async (text: string, token?: string) => openWeights(await opened(text, token));

  it.each([
    ['me/nothing', undefined, /no public model repo me\/nothing: there is none, or it is private/],
    ['me/private', undefined, /there is none, or it is private/],
    ['me/private', STRANGER, /this access token may see/],
    ['me/base', 'hf_wrong', /did not accept the access token/],
    ['me/base@v9', undefined, /no revision "v9"/],
    ['me/pictures', undefined, /is a data set, not a model repo/],
    ['me/disabled', undefined, /refuses me\/disabled \(403\) and says “Access to this resource is/],
    ['me/disabled', TOKEN, /refuses me\/disabled \(403\) and says “Access to this resource is/],
  ])('%s with token %s', async (text, token, message) => {
    await expect(opened(text, token)).rejects.toThrow(message);
  });

  it('opens what the token may see', async () => {
    expect((await weights('me/private', TOKEN)).tensors.size).toBe(2);
    expect((await weights('me/gated', TOKEN)).tensors.size).toBe(2);
  });

  it.each([undefined, STRANGER])('leads to where access is asked for (token %s)', async (token) => {
    await expect(weights('me/gated', token)).rejects.toMatchObject({
      message: expect.stringMatching(/me\/gated is gated/) as string,
      hint: expect.stringContaining(`${held.hub.hubUrl}/me/gated`) as string,
    });
  });

  it('says so when the token is revoked, or the repo gone, in between', async () => {
    const hub = await startFixtureHub({
      repos: [repoOf('me/base', modelFiles(1))],
      tokens: { [TOKEN]: [] },
    });
    try {
      const model = await openHubModel('me/base', clientTo(hub, { accessToken: TOKEN }));
      const blob = (await model.open('model.safetensors'))!;
      hub.revokeToken(TOKEN);
      await expect(blob.slice(0, 9).arrayBuffer()).rejects.toThrow(/wrong, expired or was revoked/);
      const open = await openHubModel('me/base', clientTo(hub));
      hub.removeRepo('me/base');
      const other = (await open.open('model.safetensors'))!;
      await expect(other.slice(0, 9).arrayBuffer()).rejects.toThrow(/there is none/);
    } finally {
      await hub.close();
    }
  });

  it('names the Hub’s fault once trying again did not help', async () => {
    held.hub.fault({ kind: 'status', status: 500, path: /api\/models/, times: 2 });
    await expect(opened('me/base')).rejects.toThrow(/busy or broken \(500\)/);
    held.hub.fault({ kind: 'status', status: 500, path: /api\/models/, times: 1 });
    expect((await opened('me/base')).name).toBe('base');
  });

  it('never puts the token into a message', async () => {
    for (const text of ['me/nothing', 'me/base@v9', 'me/gated']) {
      const failure: unknown = await weights(text, 'hf_wrongwrong').catch(
        (error: unknown) => error,
      );
      expect(JSON.stringify(failure, Object.getOwnPropertyNames(failure))).not.toContain(
        'hf_wrong',
      );
    }
  });
});

describe('a network that fails', () => {
  const TYPE_ERROR = new TypeError('Failed to fetch');
  beforeEach(() => {
    vi.stubGlobal('navigator', { onLine: true });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('says offline', async () => {
    vi.stubGlobal('navigator', { onLine: false });
    const failing = () => Promise.reject(TYPE_ERROR);
    const client = clientTo(held.hub, { fetch: failing, retry: { maxFailures: 2 } });
    await expect(openHubModel('me/base', client)).rejects.toThrow(/this device is offline/);
  });

  it('says that the host can not be reached', async () => {
    const failing = () => Promise.reject(TYPE_ERROR);
    const client = clientTo(held.hub, { fetch: failing, retry: { maxFailures: 2 } });
    await expect(openHubModel('me/base', client)).rejects.toThrow(
      /the connection to 127\.0\.0\.1.*failed.*\(CORS\)/,
    );
  });

  it('tells a host of files that is kept away from a Hub that is', async () => {
    const client = clientTo(held.hub, {
      retry: { maxFailures: 2 },
      fetch: (url, init) =>
        String(url instanceof Request ? url.url : url).includes('/resolve/')
          ? Promise.reject(TYPE_ERROR)
          : fetch(url, init),
    });
    const model = (await openHubModel('me/base', client)) as HubCheckpoint;
    await expect(openWeights(model)).rejects.toThrow(/answers, but the host.*\(CORS\)/);
  });

  it('stops every request when it is aborted', async () => {
    const controller = new AbortController();
    const client = clientTo(held.hub, { retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 } });
    held.hub.fault({ kind: 'status', status: 503, path: /api/, times: Infinity });
    const opening = openHubModel('me/base', client, { signal: controller.signal });
    await expect.poll(() => held.hub.requests.length).toBe(1);
    controller.abort(new Error('Cancelled.'));
    await expect(opening).rejects.toThrow('Cancelled.');
    expect(held.hub.requests).toHaveLength(1);
  });
});
