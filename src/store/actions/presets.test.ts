import { beforeEach, describe, expect, it } from 'vitest';
import { PRESETS } from '@/sources/presets';
import { addRepos, chooseRepo, openRepos, removeRepo, setHub } from './hub';
import { hubStore, INITIAL_HUB_STATE } from '@/store/state/hub';
import { resetJob } from './job';
import { editDraft } from '@/store/recipe/edits';
import { recipeStore } from '@/store/state/recipe';
import { type ScriptedWorker, scriptedWorker } from '@/store/state/scripted-worker';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';
import { connect } from '@/store/state/worker-handle';
import { openPreset } from './presets';
import { presetOfRepos } from '@/store/hub/preset-of';
import { openPresetId } from '@/store/hub/preset-selectors';

const [CLIP, , , T5, LORA] = PRESETS;
const HUB = 'http://127.0.0.1:8080';

let worker: ScriptedWorker;

beforeEach(() => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  hubStore.setState(INITIAL_HUB_STATE, true);
  worker = scriptedWorker();
  connect(worker);
});

const refsOf = ({ base, tasks }: (typeof PRESETS)[number]) => [
  base,
  ...tasks.map(({ ref }) => ref),
];

describe('a preset', () => {
  it.each(PRESETS)('$title fills the form and opens to the report', (preset) => {
    addRepos('o/other');
    editDraft({ lambda: 1 });
    setHub(HUB);
    openPreset(preset);
    expect(hubStore.getState().repos).toEqual(refsOf(preset));
    expect(recipeStore.getState().draft.lambda).toBe(preset.lambda);
    expect(worker.jobs).toHaveLength(1);
    expect(worker.last().asked).toBe('open');
    expect(worker.last().request).toEqual({
      kind: 'hub',
      repos: refsOf(preset),
      hubUrl: HUB,
      base: preset.base,
      preset: preset.id,
    });
    expect(openPresetId(sourcesStore.getState())).toBe(preset.id);
  });

  it('stays what it is without some of its tasks, and with a conversion for its base', () => {
    openPreset(CLIP!);
    removeRepo(CLIP!.tasks[0]!.ref);
    addRepos('o/other');
    openRepos();
    expect(worker.last().request).toMatchObject({ preset: CLIP!.id, base: CLIP!.base });
    const id = 'openai/clip-vit-base-patch32@refs/pr/15';
    chooseRepo({ id, name: id, replaces: CLIP!.base });
    expect(worker.last().request).toMatchObject({ preset: CLIP!.id, base: id });
  });

  it('is known by its repos, at any revision', () => {
    for (const preset of PRESETS) expect(presetOfRepos(refsOf(preset))).toBe(preset.id);
    const [base, task] = refsOf(CLIP!);
    expect(presetOfRepos([`${task!}@v1`, base!.replace(/@.*/, '').toUpperCase()])).toBe(CLIP!.id);
    expect(presetOfRepos([base!])).toBeNull();
    expect(presetOfRepos(refsOf(CLIP!).slice(1))).toBeNull();
    expect(presetOfRepos([T5!.base, LORA!.tasks[3]!.ref])).toBe(LORA!.id);
  });

  it('leaves the list for another', () => {
    openPreset(CLIP!);
    openPreset(LORA!);
    expect(hubStore.getState().repos).toEqual(refsOf(LORA!));
    expect(openPresetId(sourcesStore.getState())).toBe(LORA!.id);
  });
});
