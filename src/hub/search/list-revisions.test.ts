import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitOf, type FixturePull, repoOf } from '../../../e2e/fixture-hub/content';
import { type FixtureHub, startFixtureHub } from '../../../e2e/fixture-hub/start-fixture-hub';
import { clientTo, modelFiles } from '@/hub/hub.fixture';
import { listRevisions } from './list-revisions';

let hub: FixtureHub;

const pull = (num: number, author: string): FixturePull => {
  return { num, author, title: 'Adding `safetensors` variant of this model', status: 'open' };
};

beforeAll(async () => {
  const repo = repoOf('me/model', modelFiles(1), {
    versions: ['v1.0'],
    pulls: [pull(2, 'SFconvertbot'), pull(10, 'me'), pull(9, 'not-SFconvertbot')],
  });
  for (const [i, name] of ['v1.0', 'refs/pr/2', 'next', 'refs/pr/9', 'refs/pr/10'].entries()) {
    repo.revisions.set(name, modelFiles(i + 2));
  }
  hub = await startFixtureHub({ repos: [repo, repoOf('me/plain', modelFiles(9))] });
});

afterAll(() => hub.close());

describe('listRevisions', () => {
  it('lists main first, then the bot’s conversions, branches, tags, and the newest pulls', async () => {
    const found = await listRevisions(clientTo(hub), 'me/model');
    expect(found.map(({ revision, kind }) => [revision, kind])).toEqual([
      ['main', 'branch'],
      ['refs/pr/2', 'conversion'],
      ['next', 'branch'],
      ['v1.0', 'tag'],
      ['refs/pr/10', 'pull request'],
      ['refs/pr/9', 'pull request'],
    ]);
    expect(found[0]?.commit).toBe(commitOf('me/model', modelFiles(1)));
    expect(new Set(found.map(({ commit }) => commit)).size).toBe(6);
  });

  it('does without the list of conversions where the Hub keeps it back', async () => {
    hub.fault({ kind: 'status', status: 403, path: /discussions/ });
    const found = await listRevisions(clientTo(hub), 'me/model');
    expect(found.map(({ kind }) => kind)).not.toContain('conversion');
    expect(found.map(({ revision }) => revision)).toContain('refs/pr/2');
  });

  it('says that there is no such repo', async () => {
    await expect(listRevisions(clientTo(hub), 'me/nothing')).rejects.toThrow(
      /no public model repo me\/nothing/,
    );
    expect(await listRevisions(clientTo(hub), 'me/plain')).toHaveLength(1);
  });
});
