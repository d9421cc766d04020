/** LoRA files that lie on a Hub: loose in a repo, or in a folder with its configuration. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type FixtureHub, startFixtureHub } from '../../../e2e/fixture-hub/start-fixture-hub';
import { caseFiles } from '@/jobs/cases/case-files.fixture';
import { usePageFiles } from '@/jobs/context/page-files.fixture';
import { testPlatform } from '@/jobs/context/test-platform.fixture';
import { memoryStore } from '@/jobs/context/memory-store.fixture';
import { addFolder } from '@/jobs/reopening/hub-folder.fixture';
import { createSession } from '@/jobs/session';
import { RECIPE, requestOf } from '@/jobs/staging/export-group.fixture';
import { NO_CHOICES } from '@/plan/preflight';
import { type JobEvent } from '@/protocol/events';
import { type SourceRequest } from '@/protocol/requests';
import { readLoraRecipe } from '@/recipe/read-lora-recipe';
import { loraOpening } from '@/sources/recipe-opening';
import { loraCase } from './lora-golden.fixture';

usePageFiles();

let hub: FixtureHub;
beforeAll(async () => {
  hub = await startFixtureHub({ repos: [] });
});
afterAll(() => hub.close());

async function exported(request: SourceRequest) {
  const store = memoryStore();
  const session = createSession(testPlatform(store));
  const events: JobEvent[] = [];
  const hear = (event: JobEvent): void => {
    events.push(event);
  };
  const outcomes = [
    await session.open(request, NO_CHOICES, hear),
    await session.load(hear),
    await session.run(RECIPE, hear),
    await session.export(requestOf(RECIPE), hear),
  ];
  expect(outcomes.filter(({ status }) => status !== 'done')).toEqual([]);
  const group = events.find((event) => event.type === 'group')!.group;
  const text = new TextDecoder().decode(store.files.get('recipe.json'));
  return { store, group, recipe: readLoraRecipe(JSON.parse(text)) };
}

it('open as a group without a base, and their recipe opens them again at their commits', async () => {
  const { hubUrl } = hub;
  const repos = [
    await addFolder(hub, 'me/sdxl-style', loraCase('kohya-sdxl'), 1),
    await addFolder(hub, 'me/peft', loraCase('peft-patterns'), 1),
  ];
  const first = await exported({ kind: 'hub', hubUrl, repos });
  expect(first.group.contents.kind).toBe('loras');
  expect(first.group.cards.map(({ id }) => id)).toEqual([
    expect.stringMatching(/^me\/sdxl-style(\/tiny-xl\.safetensors)?@[0-9a-f]{40}$/),
    expect.stringMatching(/^me\/peft@[0-9a-f]{40}$/),
  ]);
  expect(first.recipe.files.map(({ repo }) => repo)).toEqual(repos);
  const { request, recipe } = loraOpening(first.recipe);
  expect(recipe).toEqual({ rank: RECIPE.rank, lora: RECIPE.lora });
  const again = await exported(request);
  for (const [path, bytes] of first.store.files) {
    if (path.endsWith('.safetensors')) expect(again.store.files.get(path), path).toEqual(bytes);
  }
  expect(again.recipe.files).toEqual(first.recipe.files);
});

it('are adapters where mlx-lm saved them and their base is among the repos', async () => {
  const { hubUrl } = hub;
  const files = caseFiles('14-lora-mlx');
  const inFolder = (folder: string) => files.filter(({ path }) => path.startsWith(`${folder}/`));
  const [base, ...adapters] = [
    await addFolder(hub, 'me/base', inFolder('base'), 1),
    await addFolder(hub, 'me/sql', inFolder('sql'), 1),
    await addFolder(hub, 'me/chat', inFolder('chat'), 1),
  ];
  const kindOf = async (repos: string[]) => {
    const session = createSession(testPlatform(memoryStore()));
    const events: JobEvent[] = [];
    const hear = (event: JobEvent): void => {
      events.push(event);
    };
    const outcome = await session.open({ kind: 'hub', hubUrl, repos }, NO_CHOICES, hear);
    expect(outcome).toEqual({ status: 'done' });
    return events.find((event) => event.type === 'preflight')!.preflight.kind;
  };
  expect(await kindOf([base, ...adapters])).toBe('adapters');
  expect(await kindOf(adapters)).toBe('loras');
  // A link to the file itself means that file alone.
  expect(await kindOf([`${adapters[0]}/adapters.safetensors`])).toBe('loras');
});
