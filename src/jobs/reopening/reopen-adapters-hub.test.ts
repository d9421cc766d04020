/** Exports of adapters that lie on a Hub, and recipes whose sources do. */
import { usePageFiles } from '@/jobs/context/page-files.fixture';
import { TEST_OPTIONS } from '@/jobs/context/test-platform.fixture';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FixtureHub, startFixtureHub } from '../../../e2e/fixture-hub/start-fixture-hub';
import { type SourceRecord } from '@/recipe/recipe-file';
import { sourcesWithBase } from '@/jobs/open/with-base.fixture';
import { recipeOpening } from '@/sources/recipe-opening';
import { addFolder } from './hub-folder.fixture';
import { exported, inFolder, loraRecipe, sources } from './reopen-adapters.fixture';
import { adapterBase, adapterGroup, type Files } from './reopen.fixture';

usePageFiles();

describe('on the Hub', () => {
  let hub: FixtureHub;
  beforeAll(async () => {
    hub = await startFixtureHub({ repos: [] });
  });
  afterAll(() => hub.close());

  const add = (id: string, files: Files, strip: number) => addFolder(hub, id, files, strip);
  const openRepo = (repo: string) =>
    sourcesWithBase({ kind: 'hub', hubUrl: hub.hubUrl, repos: [repo] }, TEST_OPTIONS);

  it('an export of adapters brings the base from the commit that it names', async () => {
    await add('me/t5', adapterBase(), 1);
    const base = { ...(await loraRecipe()).base, repo: 'me/t5' };
    const commit = await groupSourcesCommit(hub, 'me/t5');
    const recipe = await loraRecipe({ group: { kind: 'hub' }, base: { ...base, commit } });
    const group = await openRepo(await add('me/adapters', exported(recipe), 1));
    expect(group.base.id).toBe(`me/t5@${commit}`);
    expect(group.tasks.map(({ name }) => name)).toEqual(['CoLA/1', 'rte']);
    expect(sources(group.findings)).toContainEqual(expect.stringMatching(/^ok: The files are/));
  });

  it('the sources of a recipe are compared with its hashes', async () => {
    const [cola, rte] = ['cola', 'rte'].map((name) => inFolder(adapterGroup(), `lora/${name}`));
    await add('me/t5', adapterBase(), 1);
    await add('me/cola', cola!, 2);
    await add('me/rte', rte!, 2);
    const at = async (record: SourceRecord, repo: string) => {
      return { ...record, repo, commit: await groupSourcesCommit(hub, repo) };
    };
    const plain = await loraRecipe();
    const [first, second] = plain.tasks;
    const recipe = await loraRecipe({
      group: { kind: 'hub', hub: hub.hubUrl },
      base: await at(plain.base, 'me/t5'),
      tasks: [
        { ...(await at(first!, 'me/cola')), task: 'cola' },
        { ...(await at({ ...second!, files: first!.files }, 'me/rte')), task: 'rte' },
      ],
    });
    const { request } = recipeOpening(recipe);
    const group = await sourcesWithBase(request, TEST_OPTIONS);
    expect(group.tasks.map(({ name }) => name)).toEqual(['cola', 'rte']);
    expect(sources(group.findings)).toEqual([
      expect.stringMatching(/^warning: me\/rte\/adapter_model\.safetensors is not the file/),
    ]);
  });

  it('a repo of adapters that is no export still asks which is meant', async () => {
    const files = exported(await loraRecipe()).filter(({ path }) => !path.endsWith('recipe.json'));
    const repo = await add('me/several', files, 1);
    await expect(openRepo(repo)).rejects.toMatchObject({ kind: 'choose-repo' });
  });
});

async function groupSourcesCommit(hub: FixtureHub, repo: string): Promise<string> {
  const answer = await fetch(`${hub.hubUrl}/api/models/${repo}/revision/main`);
  return ((await answer.json()) as { sha: string }).sha;
}
