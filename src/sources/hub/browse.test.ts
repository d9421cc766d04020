import { describe, expect, it } from 'vitest';
import { commitOf, repoOf } from '../../../e2e/fixture-hub/content';
import { listRevisions, searchRepos } from './browse';
import { parseRepoRef } from './repo-ref';
import { doorTo, modelFiles, TOKEN, useFixtureHub } from './hub.fixture';

const held = useFixtureHub();

describe('searchRepos', () => {
  it('finds public repos by a part of their names', async () => {
    const door = doorTo(held.hub);
    expect(await searchRepos(door, 'GATE')).toEqual([
      { repo: 'me/gated', gated: true, downloads: 1 },
    ]);
    const all = await searchRepos(door, 'me/');
    expect(all.map(({ repo }) => repo)).not.toContain('me/private');
    expect(await searchRepos(door, 'me/', { limit: 2 })).toHaveLength(2);
    expect(await searchRepos(door, 'no such name')).toEqual([]);
  });
});

describe('listRevisions', () => {
  it('lists what may stand behind the @, main first', async () => {
    const [main, pull] = [modelFiles(20), modelFiles(21)];
    const repo = repoOf('me/branched', main);
    repo.revisions.clear();
    repo.revisions.set('refs/pr/2', pull).set('dev', pull).set('main', main);
    held.hub.addRepo(repo);
    const found = await listRevisions(doorTo(held.hub), 'me/branched');
    expect(found).toEqual([
      { revision: 'main', kind: 'branch', commit: commitOf('me/branched', main) },
      { revision: 'dev', kind: 'branch', commit: commitOf('me/branched', pull) },
      { revision: 'refs/pr/2', kind: 'pull request', commit: commitOf('me/branched', pull) },
    ]);
    for (const { revision } of found) {
      expect(parseRepoRef(`me/branched@${revision}`).revision).toBe(revision);
    }
  });

  it('asks as the visitor', async () => {
    await expect(listRevisions(doorTo(held.hub), 'me/private')).rejects.toThrow(/it is private/);
    const door = doorTo(held.hub, { accessToken: TOKEN });
    expect(await listRevisions(door, 'me/private')).toHaveLength(1);
  });
});
