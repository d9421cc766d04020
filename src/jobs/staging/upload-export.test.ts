import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureHub, startFixtureHub } from '../../../e2e/fixture-hub/start-fixture-hub';
import { type StagedExport } from '@/jobs/context/export-store';
import { type JobEvent } from '@/protocol/events';
import { uploadExport } from './upload-export';

const TOKEN = 'hf_writerwriterwriter';
const CONTENTS = { 'README.md': '# Card', 'cars.sparse.safetensors': 'x'.repeat(100_000) };

const STAGED: StagedExport = {
  files: Object.entries(CONTENTS).map(([path, content]) => ({
    path,
    bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    kind: 'sparse',
  })),
  open: (path) => Promise.resolve(new File([CONTENTS[path as keyof typeof CONTENTS]], path)),
};

describe('the upload of an export', () => {
  let hub: FixtureHub;
  beforeAll(async () => {
    hub = await startFixtureHub({
      repos: [],
      tokens: { [TOKEN]: [] },
      writers: { [TOKEN]: ['me'] },
    });
  });
  afterAll(() => hub.close());

  it('tells progress in bytes, then where the files are', async () => {
    const events: JobEvent[] = [];
    const { signal } = new AbortController();
    await uploadExport(
      { repo: 'me/merge', private: true, hubUrl: hub.hubUrl, accessToken: TOKEN, signedIn: false },
      STAGED,
      { emit: (event) => void events.push(event), signal },
    );
    const last = events.pop();
    expect(last).toMatchObject({
      type: 'uploaded',
      commit: expect.stringMatching(/^[0-9a-f]{40}$/) as string,
    });
    expect(events.every(({ type }) => type === 'progress')).toBe(true);
    expect(events.at(-1)).toEqual({
      type: 'progress',
      progress: { stage: 'Uploading to me/merge', done: 100_006, total: 100_006, unit: 'bytes' },
    });
    for (const [path, content] of Object.entries(CONTENTS)) {
      const answer = await fetch(`${hub.hubUrl}/me/merge/resolve/main/${path}`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      expect(await answer.text()).toBe(content);
    }
  });

  it('stops before anything is asked, once cancelled', async () => {
    hub.clearLog();
    const signal = AbortSignal.abort(new Error('cancelled'));
    const request = {
      repo: 'me/other',
      private: true,
      hubUrl: hub.hubUrl,
      accessToken: TOKEN,
      signedIn: false,
    };
    await expect(uploadExport(request, STAGED, { emit: () => undefined, signal })).rejects.toThrow(
      'cancelled',
    );
    expect(hub.requests).toEqual([]);
  });
});
