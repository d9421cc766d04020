import { describe, expect, it } from 'vitest';
import { type UploadMode } from '../../../e2e/fixture-hub/upload-state';
import { type HubCheckpoint, openHubModel } from '@/hub/hub-repo';
import { clientTo, modelFile } from '@/hub/hub.fixture';
import { uploadToHub } from './upload';
import {
  exportFiles,
  progressLog,
  READER,
  smallFiles,
  uploadFile,
  uploadTo,
  useUploadHub,
  WRITER,
} from './upload.fixture';

const held = useUploadHub();
const MODES: readonly UploadMode[] = ['xet', 'basic', 'multipart'];

/** What the repo holds, by path, read back over the Hub's own routes. */
async function repoBytes(repo: string, path: string): Promise<Uint8Array> {
  const headers = { authorization: `Bearer ${WRITER}` };
  const answer = await fetch(`${held.hub.hubUrl}/${repo}/resolve/main/${path}`, { headers });
  expect(answer.status).toBe(200);
  return new Uint8Array(await answer.arrayBuffer());
}

const commits = (): number =>
  held.hub.requests.filter(({ path, status }) => path.includes('/commit/main') && status === 200)
    .length;

describe.each(MODES)('an upload by %s', (mode) => {
  it('brings every byte, in one commit', async () => {
    held.hub.uploadMode = mode;
    const files = exportFiles();
    const { url, commit } = await uploadToHub(uploadTo(held.hub, { files }));
    expect(commits()).toBe(1);
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    expect(url).toBe(`${held.hub.hubUrl}/me/merge/commit/${commit}`);
    for (const { path, blob } of files) {
      const sent = new Uint8Array(await blob.arrayBuffer());
      const arrived = await repoBytes('me/merge', path);
      expect(Buffer.compare(arrived, sent), path).toBe(0);
    }
  });

  it('gives the access token to the Hub alone', async () => {
    held.hub.uploadMode = mode;
    await uploadToHub(uploadTo(held.hub, { files: smallFiles() }));
    const to = (server: string) => held.hub.requests.filter((one) => one.server === server);
    expect(to('content').length).toBeGreaterThan(0);
    for (const { authorization } of to('content'))
      expect(authorization ?? '').not.toContain(WRITER);
    for (const { authorization } of to('hub')) expect(authorization).toBe(`Bearer ${WRITER}`);
    for (const { path } of held.hub.requests) expect(path).not.toContain(WRITER);
  });

  it('tells progress that grows up to the whole', async () => {
    held.hub.uploadMode = mode;
    const files = smallFiles();
    const { told, onProgress } = progressLog();
    await uploadToHub(uploadTo(held.hub, { files, onProgress }));
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const step of ['hashing', 'uploading'] as const) {
      const done = told.filter((one) => one.step === step).map((one) => one.done);
      expect(done.length).toBeGreaterThan(2);
      expect(done).toEqual(done.toSorted((a, b) => a - b));
    }
    expect(told.findIndex(({ step }) => step === 'uploading')).toBeGreaterThan(
      told.findLastIndex(({ step }) => step === 'hashing'),
    );
    expect(told.every((one) => one.total === total && one.done <= total)).toBe(true);
    expect(told.at(-1)).toEqual({ step: 'uploading', done: total, total });
  });

  it('goes on where a connection was lost, and nothing arrives twice or torn', async () => {
    held.hub.uploadMode = mode;
    held.hub.fault(
      { kind: 'drop-upload', afterBytes: 1, path: /xorbs|lfs/, server: 'content', times: 2 },
      { kind: 'status', status: 503, path: /preupload/ },
      { kind: 'lose-answer', path: /commit\/main/ },
    );
    const files = smallFiles();
    const { commit } = await uploadToHub(uploadTo(held.hub, { files }));
    const dropped = held.hub.requests.filter(({ server, status }) => {
      return server === 'content' && status === 0;
    });
    expect(dropped.length).toBe(2);
    for (const { path, blob } of files) {
      const sent = new Uint8Array(await blob.arrayBuffer());
      expect(Buffer.compare(await repoBytes('me/merge', path), sent), path).toBe(0);
    }
    const list = await fetch(`${held.hub.hubUrl}/api/models/me/merge/commits/main`, {
      headers: { authorization: `Bearer ${WRITER}` },
    });
    const ids = ((await list.json()) as { id: string }[]).map(({ id }) => id);
    expect(ids.length).toBe(2);
    expect(ids[0]).toBe(commit);
  });

  it('stops at once, and sends nothing more', async () => {
    held.hub.uploadMode = mode;
    held.hub.fault({
      kind: 'no-answer',
      path: /xorbs|lfs/,
      server: 'content',
      times: Infinity,
    });
    const stop = new AbortController();
    const upload = uploadToHub(uploadTo(held.hub, { files: smallFiles(), signal: stop.signal }));
    const isSending = () =>
      held.hub.requests.some((one) => one.server === 'content' && one.receivedBytes > 0);
    await expect.poll(isSending).toBe(true);
    const reason = new Error('stopped');
    stop.abort(reason);
    await expect(upload).rejects.toBe(reason);
    // The Hub would never have answered: who asked has hung up.
    await expect.poll(() => held.hub.underWay).toEqual([]);
    // What had left already may still arrive.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const before = held.hub.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(held.hub.requests.length).toBe(before);
    expect(commits()).toBe(0);
  });
});

describe('an upload to the content-addressed store', () => {
  it('packs what can be packed', async () => {
    const files = [uploadFile('model.safetensors', modelFile(7, 800_000))];
    await uploadToHub(uploadTo(held.hub, { files }));
    const sent = held.hub.requests.filter(({ path }) => path.includes('/xorbs/'));
    const bytes = sent.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(0.5 * files[0]!.bytes);
  });
});

describe('the repo of an upload', () => {
  const read = (token: string) => clientTo(held.hub, { accessToken: token });

  it('is private when asked for, and opens again as a checkpoint', async () => {
    await uploadToHub(uploadTo(held.hub));
    const model = (await openHubModel('me/merge', read(WRITER))) as HubCheckpoint;
    expect((await model.open('README.md'))?.size).toBe(4);
    await expect(openHubModel('me/merge', read(READER))).rejects.toThrow('no model repo me/merge');
  });

  it('is public when asked for', async () => {
    await uploadToHub(uploadTo(held.hub, { private: false }));
    const model = (await openHubModel('me/merge', read(READER))) as HubCheckpoint;
    expect(model).toBeDefined();
  });

  it('may be there already, and keeps its other files', async () => {
    await uploadToHub(uploadTo(held.hub, { repo: 'me/hidden' }));
    expect(Buffer.from(await repoBytes('me/hidden', 'README.md')).toString()).toBe('text');
    expect((await repoBytes('me/hidden', 'config.json')).length).toBeGreaterThan(0);
  });

  it('is not sent again what it has', async () => {
    await uploadToHub(uploadTo(held.hub));
    held.hub.clearLog();
    await uploadToHub(uploadTo(held.hub, { repo: 'me/again' }));
    expect(held.hub.requests.filter(({ server }) => server === 'content')).toEqual([]);
    expect(commits()).toBe(1);
  });

  it('is not one that everybody reads, where a private one was asked for', async () => {
    const upload = uploadToHub(uploadTo(held.hub, { repo: 'me/open' }));
    await expect(upload).rejects.toThrow('me/open exists already and is public');
    expect(held.hub.requests.some(({ path }) => /preupload|commit/.test(path))).toBe(false);
    await uploadToHub(uploadTo(held.hub, { repo: 'me/open', private: false }));
    expect(commits()).toBe(1);
  });

  it.each(['merge', 'me/', 'me/a/b', 'me/-a', 'me/a..b', 'me/a b', 'https://x/y', 'me/a@main'])(
    'is not called %j',
    async (repo) => {
      const upload = uploadToHub(uploadTo(held.hub, { repo }));
      await expect(upload).rejects.toThrow('is no name for a repo');
      expect(held.hub.requests).toEqual([]);
    },
  );
});

describe('an upload of something else than was exported', () => {
  it('does not begin when a file has another length', async () => {
    const file = uploadFile('a.safetensors', 'content');
    const files = [{ ...file, bytes: file.bytes + 1 }];
    await expect(uploadToHub(uploadTo(held.hub, { files }))).rejects.toThrow(
      'a.safetensors is no longer as it was exported',
    );
    expect(held.hub.requests).toEqual([]);
  });

  it('sends nothing when a file has another content', async () => {
    const file = uploadFile('a.safetensors', 'content');
    const files = [{ ...file, blob: new File(['CONTENT'], 'a.safetensors') }];
    await expect(uploadToHub(uploadTo(held.hub, { files }))).rejects.toThrow(
      'no longer as it was exported',
    );
    expect(held.hub.requests.some(({ server }) => server === 'content')).toBe(false);
    expect(commits()).toBe(0);
  });
});
