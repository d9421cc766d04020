import { describe, expect, it } from 'vitest';
import { repoOf } from '../../../e2e/fixture-hub/content';
import { type Fault } from '../../../e2e/fixture-hub/faults';
import { PeruError } from '@/core/errors';
import { modelFiles } from '@/hub/hub.fixture';
import { type HubUpload, uploadToHub } from './upload';
import { CONTRIBUTOR, READER, uploadTo, useUploadHub, WRITER } from './upload.fixture';

const held = useUploadHub();

/** The error that an upload ends with. */
async function refused(more: Partial<HubUpload> = {}, ...faults: Fault[]): Promise<PeruError> {
  held.hub.fault(...faults);
  const error: unknown = await uploadToHub(uploadTo(held.hub, more)).then(
    () => 'uploaded',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PeruError);
  const { kind, message, hint } = error as PeruError;
  expect(kind).toBe('source');
  expect(`${message}${hint}`).not.toContain(WRITER);
  expect(`${message}${hint}`).not.toContain('signature=');
  return error as PeruError;
}

const status = (code: number, path: RegExp, more: Partial<Fault> = {}): Fault =>
  ({ kind: 'status', status: code, path, times: Infinity, ...more }) as Fault;

const asked = (path: RegExp) => held.hub.requests.filter((one) => path.test(one.path));

describe('a refused upload', () => {
  it('401: names the token', async () => {
    const error = await refused({ accessToken: 'hf_expired' });
    expect(error.message).toMatch(/did not accept the access token/);
    expect(error.hint).toMatch(/write access/);
    expect(held.hub.requests.length).toBe(1);
  });

  it('403: a token that may only read makes no repo', async () => {
    const error = await refused({ accessToken: READER });
    expect(error.message).toMatch(/may not write there and says “You don't have the rights/);
    expect(error.hint).toMatch(/write permission for me/);
  });

  it('403: nor commits to one that it sees', async () => {
    const error = await refused({ accessToken: READER, repo: 'me/hidden' });
    expect(error.message).toMatch(/upload to me\/hidden failed: the access token may not write/);
    expect(asked(/batch|commit/)).toEqual([]);
  });

  it('403: nor is a repo of somebody else written to', async () => {
    const error = await refused({ repo: 'other/theirs', private: false });
    expect(error.hint).toMatch(/write permission for other/);
    expect(asked(/batch|commit/)).toEqual([]);
  });

  it('403: a sign-in writes into repos that it made, and says so of others', async () => {
    const signedIn = { accessToken: CONTRIBUTOR, signedIn: true };
    await uploadToHub(uploadTo(held.hub, signedIn));
    await uploadToHub(uploadTo(held.hub, signedIn));
    const error = await refused({ ...signedIn, repo: 'me/hidden' });
    expect(error.message).toMatch(/upload to me\/hidden failed: your sign-in may not write there/);
    expect(error.hint).toMatch(/repos that this page makes for you, and no others/);
    expect(asked(/me\/hidden.*(?:batch|commit)/)).toEqual([]);
  });

  it('403 on making it stops nobody who may write to the repo there is', async () => {
    held.hub.fault(status(403, /repos\/create/));
    await uploadToHub(uploadTo(held.hub, { repo: 'me/hidden' }));
    expect(asked(/commit\/main/).length).toBe(1);
  });

  it('404: names the owner', async () => {
    const error = await refused({}, status(404, /repos\/create/));
    expect(error.message).toMatch(/no user or organization me\b/);
  });

  it.each([409, 412])('%i: says that somebody else committed', async (code) => {
    const error = await refused({}, status(code, /commit\/main/));
    expect(error.message).toMatch(/someone else committed/);
    expect(error.hint).toContain('/me/merge/commits/main');
    expect(asked(/commit\/main/).length).toBe(1);
  });

  it('never overwrites what somebody else committed meanwhile', async () => {
    const theirs = modelFiles(5);
    const upload = uploadTo(held.hub, {
      repo: 'me/hidden',
      onProgress: () => {
        held.hub.move('me/hidden', 'main', theirs);
      },
    });
    await expect(uploadToHub(upload)).rejects.toThrow('someone else committed');
    const answer = await fetch(`${held.hub.hubUrl}/api/models/me/hidden`, {
      headers: { authorization: `Bearer ${WRITER}` },
    });
    const { siblings } = (await answer.json()) as { siblings: { rfilename: string }[] };
    expect(siblings.map(({ rfilename }) => rfilename)).toEqual([...theirs.keys()]);
  });

  it.each([/objects\/batch/, /xorbs/])('413 at %s: says that a file is too large', async (path) => {
    const error = await refused({}, status(413, path));
    expect(error.message).toMatch(/a file is larger than 127\.0\.0\.1:\d+ takes/);
    expect(error.hint).toMatch(/shorter dtype/);
  });

  it('429: waits as long as it is told, then goes on', async () => {
    held.hub.fault(status(429, /preupload/, { times: 2, retryAfter: 0.02 }));
    await uploadToHub(uploadTo(held.hub));
    expect(asked(/preupload/).length).toBe(3);
  });

  it('429: says when to come back, where that is far off', async () => {
    const error = await refused({}, status(429, /preupload/, { retryAfter: 4000 }));
    expect(error.message).toMatch(/too many requests/);
    expect(error.hint).toMatch(/in 4000 seconds/);
    expect(asked(/preupload/).length).toBe(1);
  });

  it('5xx: gives up after some tries', async () => {
    const error = await refused(
      { retry: { maxFailures: 3, baseDelayMs: 1 } },
      status(502, /batch/),
    );
    expect(error.message).toMatch(/busy or broken \(502\)/);
    expect(asked(/batch/).length).toBe(3);
  });

  it('a lost connection: says so', async () => {
    const retry = { maxFailures: 2, baseDelayMs: 1 };
    const drop: Fault = { kind: 'refuse', path: /xorbs/, times: Infinity };
    const error = await refused({ retry }, drop);
    expect(error.message).toMatch(/connection to 127\.0\.0\.1:\d+ was lost/);
    expect(error.hint).toMatch(/not sent twice/);
    expect(error.hint).toMatch(/me\/merge was made and has no files yet/);
  });

  it('a transfer that stands still has broken off', async () => {
    // Long enough that no request before the upload's stands still on a busy machine.
    const retry = { maxFailures: 2, baseDelayMs: 1, stallMs: 5000 };
    const stall: Fault = { kind: 'no-answer', path: /xorbs/, times: Infinity };
    const error = await refused({ retry }, stall);
    expect(error.message).toMatch(/was lost/);
    expect(asked(/xorbs/).length).toBe(2);
  });

  it('passes on what the Hub says of other things', async () => {
    const error = await refused({}, status(422, /commit\/main/));
    expect(error.message).toMatch(/answered 422 and says “On demand”/);
  });

  it('goes on with the repo that a failed one left', async () => {
    await refused({}, status(422, /commit\/main/, { times: 1 }));
    await uploadToHub(uploadTo(held.hub));
    expect(asked(/commit\/main/).map((one) => one.status)).toEqual([422, 200]);
  });

  it('says so when the Hub makes a public repo in place of a private one', async () => {
    held.hub.addRepo(repoOf('me/merge', modelFiles(1)));
    const error = await refused();
    expect(error.message).toMatch(/exists already and is public/);
  });
});
