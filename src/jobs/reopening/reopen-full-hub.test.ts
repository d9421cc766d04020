/** Exports of full fine-tunes that lie on a Hub, opened again. */
import { TEST_OPTIONS } from '@/jobs/context/test-platform.fixture';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureHub, startFixtureHub } from '../../../e2e/fixture-hub/start-fixture-hub';
import { sourcesWithBase } from '@/jobs/open/with-base.fixture';
import { addFolder } from './hub-folder.fixture';
import { dropped, exportOf, FULL_REQUEST, RECIPE } from './reopen.fixture';

describe('on the Hub', () => {
  let hub: FixtureHub;
  beforeAll(async () => {
    hub = await startFixtureHub({ repos: [] });
  });
  afterAll(() => hub.close());

  const openRepo = (repo: string) =>
    sourcesWithBase({ kind: 'hub', hubUrl: hub.hubUrl, repos: [repo] }, TEST_OPTIONS);

  it('an export of fine-tunes opens as the same group, without reading the merged model', async () => {
    const files = await exportOf(FULL_REQUEST, RECIPE);
    const repo = await addFolder(hub, 'me/export', dropped(files), 1);
    hub.clearLog();
    const group = await openRepo(repo);
    expect(group.kind).toBe('full');
    expect(group.tasks.map(({ name, model }) => [name, model.id.split('@')[0]])).toEqual([
      ['Cars & more', 'me/export/Cars-more.sparse.safetensors'],
      ['pets', 'me/export/pets.sparse.safetensors'],
    ]);
    const ranges = hub.requests.filter(({ path }) => path.includes('merged.safetensors'));
    const moved = ranges.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0);
    expect(moved).toBeLessThan(files.get('merged.safetensors')!.length / 2);
    // By the references that a link has of what was opened, too.
    const repos = [group.base.id, ...group.tasks.map(({ model }) => model.id)];
    const linked = await sourcesWithBase(
      { kind: 'hub', hubUrl: hub.hubUrl, repos, base: group.base.id },
      TEST_OPTIONS,
    );
    expect(linked.tasks.map(({ name }) => name)).toEqual(['Cars & more', 'pets']);
    const [, pets] = group.tasks;
    expect((await openRepo(pets!.model.id)).tasks.map(({ name }) => name)).toEqual(['pets']);
    await expect(openRepo(`${repo}/dogs.sparse.safetensors`)).rejects.toThrow(/dogs\.sparse/);
    // In a folder of a repo, too.
    const nested = await addFolder(hub, 'me/nested', dropped(files, 'deep/out'), 0);
    expect((await openRepo(`${nested}/deep/out`)).tasks).toHaveLength(2);
  });

  it('an export whose merged model was replaced is refused', async () => {
    const files = new Map(await exportOf(FULL_REQUEST, RECIPE));
    const merged = files.get('merged.safetensors')!.slice();
    merged[merged.length - 1]! ^= 1;
    files.set('merged.safetensors', merged);
    const repo = await addFolder(hub, 'me/replaced', dropped(files), 1);
    await expect(openRepo(repo)).rejects.toThrow(/made for another merged model/);
  });
});
