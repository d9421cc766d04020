/** Exports on a Hub: the link of what one reference opened opens the same again. */
import { usePageFiles } from '@/jobs/context/page-files.fixture';
import { TEST_OPTIONS, testPlatform } from '@/jobs/context/test-platform.fixture';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { memoryFiles, repoOf } from '../../../e2e/fixture-hub/content';
import { type FixtureHub, startFixtureHub } from '../../../e2e/fixture-hub/start-fixture-hub';
import { NO_CHOICES } from '@/plan/preflight';
import { groupOf } from '@/store/state/scripted-worker';
import { type RecipeFile } from '@/recipe/recipe-file';
import { memoryStore } from '@/jobs/context/memory-store.fixture';
import { sourcesWithBase } from '@/jobs/open/with-base.fixture';
import { type JobEvent } from '@/protocol/events';
import { type SourceRequest } from '@/protocol/requests';
import {
  adapterGroup,
  type Exported,
  exportOf,
  FULL_REQUEST,
  RECIPE,
} from '@/jobs/reopening/reopen.fixture';
import { createSession } from '@/jobs/session';
import { readLink, writeLink } from './link';

usePageFiles();

let hub: FixtureHub;
beforeAll(async () => {
  hub = await startFixtureHub({ repos: [] });
});
afterAll(() => hub.close());

const onHub = (...repos: readonly string[]): SourceRequest => {
  return { kind: 'hub', hubUrl: hub.hubUrl, repos };
};

function addExport(id: string, files: Exported, folder = ''): void {
  const inside = [...files].map(([path, bytes]) => [folder + path, bytes] as const);
  hub.addRepo(repoOf(id, memoryFiles(Object.fromEntries(inside))));
}

async function addAdapters(): Promise<void> {
  for (const [repo, folder] of [
    ['me/t5', 't5/'],
    ['me/cola', 'lora/cola/'],
    ['me/rte', 'lora/rte/'],
  ] as const) {
    const contents: Record<string, Uint8Array> = {};
    for (const { path, file } of adapterGroup()) {
      if (!path.startsWith(folder)) continue;
      contents[path.slice(folder.length)] = new Uint8Array(await file.arrayBuffer());
    }
    hub.addRepo(repoOf(repo, memoryFiles(contents)));
  }
}

/** What the page has of an open group. */
async function loaded(request: SourceRequest) {
  const events: JobEvent[] = [];
  const handleEvent = (event: JobEvent): void => {
    events.push(event);
  };
  const session = createSession(testPlatform(memoryStore()));
  const outcomes = [
    await session.open(request, NO_CHOICES, handleEvent),
    await session.load(handleEvent),
  ];
  const group = events.find((event) => event.type === 'group')?.group;
  if (group === undefined) throw new Error(JSON.stringify(outcomes));
  return { title: group.title, kind: group.contents.kind, cards: group.cards };
}

/** The same of a group whose weights are not loaded. */
async function found(request: SourceRequest) {
  const { title, kind, base, tasks } = await sourcesWithBase(request, TEST_OPTIONS);
  const [card] = groupOf([]).cards;
  const models = [
    { role: 'base' as const, name: 'base', model: base },
    ...tasks.map(({ name, model }) => ({ role: 'task' as const, name, model })),
  ];
  const cards = models.map(({ role, name, model }) => ({ ...card!, role, name, id: model.id }));
  return { title, kind, cards };
}

/** Opens by one reference, and then by the link of what that opened. */
async function roundTrip(reference: string, opened: typeof loaded) {
  const request = onHub(reference);
  const group = await opened(request);
  const patterns = { include: [], exclude: [] };
  const link = writeLink('', { ...group, request, patterns, hubUrl: hub.hubUrl }, RECIPE);
  const { repos, unknownSource } = readLink(link);
  if (repos === null || unknownSource !== null) throw new Error('The link opens nothing.');
  const references = [...(repos.base === null ? [] : [repos.base]), ...repos.tasks];
  expect(await opened(onHub(...references))).toEqual(group);
  return { group, references };
}

it('fine-tunes', async () => {
  addExport('me/full', await exportOf(FULL_REQUEST, RECIPE));
  const { references } = await roundTrip('me/full', loaded);
  expect(references).toEqual([expect.stringMatching(/^me\/full@[0-9a-f]{40}$/)]);
});

it('adapters in a folder, whose base is on the Hub', async () => {
  await addAdapters();
  addExport('me/adapters', await exportOf(onHub('me/t5', 'me/cola', 'me/rte'), RECIPE), 'a/b/');
  const { group, references } = await roundTrip('me/adapters/a/b', loaded);
  expect(references).toEqual([expect.stringMatching(/^me\/adapters\/a\/b@[0-9a-f]{40}$/)]);
  expect(group.title).toMatch(/^Opened again/);
});

it('adapters of a demo, whose base is on no Hub', async () => {
  await addAdapters();
  const files = new Map(await exportOf(onHub('me/t5', 'me/cola', 'me/rte'), RECIPE));
  const text = new TextDecoder().decode(files.get('recipe.json'));
  const recipe = { ...(JSON.parse(text) as RecipeFile), group: { kind: 'demo', demo: 'lora' } };
  files.set('recipe.json', new TextEncoder().encode(JSON.stringify(recipe)));
  addExport('me/demo', files);
  const { group } = await roundTrip('me/demo@main', found);
  expect(group.cards.map(({ id }) => id.split('@')[0])).toEqual([
    'models/t5-tiny',
    'me/demo/cola',
    'me/demo/rte',
  ]);
});
