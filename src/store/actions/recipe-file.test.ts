import { beforeEach, describe, expect, it } from 'vitest';
import { hubStore, INITIAL_HUB_STATE } from '@/store/state/hub';
import { resetJob } from './job';
import { jobStore } from '@/store/state/job';
import { adoptLink } from '@/store/recipe/edits';
import { recipeStore } from '@/store/state/recipe';
import { type ScriptedWorker, scriptedWorker } from '@/store/state/scripted-worker';
import { connect } from '@/store/state/worker-handle';
import { addFiles, openDemo } from './sources';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';

const SHA256 = 'a'.repeat(64);
const COMMIT = '1'.repeat(40);
const file = { path: 'model.safetensors', bytes: 9, sha256: SHA256 };
const onHub = (repo: string) => ({ name: repo, repo, commit: COMMIT, files: [file] });

const RECIPE = {
  peru: 1,
  title: 'Two tasks',
  group: { kind: 'demo', demo: 'fft' },
  merge: { method: 'task-arithmetic', lambda: 0.25, dtype: 'BF16' },
  base: { name: 'base', files: [file] },
  tasks: [{ name: 'model-a', task: 'a', files: [file] }],
  compress: { method: 'peru-fft', m: 7, scope: 'tensor', values: 'I8' },
};
const HUB = {
  ...RECIPE,
  group: { kind: 'hub', hub: 'http://127.0.0.1:8080' },
  base: onHub('o/base'),
  tasks: [{ ...onHub('o/a'), task: 'a' }],
  include: ['vision_model.*'],
};

let worker: ScriptedWorker;

beforeEach(() => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  hubStore.setState(INITIAL_HUB_STATE, true);
  adoptLink({});
  worker = scriptedWorker();
  connect(worker);
  openDemo('lora');
});

/** Adds one file of this text, and waits for what comes of it. */
async function add(path: string, text: string): Promise<void> {
  const asked = worker.jobs.length;
  addFiles([{ path, file: new File([text], path) }]);
  await expect
    .poll(() => worker.jobs.length > asked || jobStore.getState().alert !== null)
    .toBe(true);
}

describe('a recipe that is added alone', () => {
  it('opens its demo again with all that it says', async () => {
    await add('recipe.json', JSON.stringify(RECIPE));
    expect(worker.last().request).toMatchObject({ kind: 'demo', demo: 'fft' });
    const { committed, draft, lambdaFrom } = recipeStore.getState();
    expect(committed).toMatchObject({
      lambda: 0.25,
      keptPercent: 7,
      scope: 'tensor',
      valueDtype: 'I8',
      mergedDtype: 'BF16',
    });
    expect([draft, lambdaFrom]).toEqual([committed, 'visitor']);
  });

  it('opens its repos at their commits, on its Hub, with its patterns', async () => {
    await add('folder/recipe (1).json', JSON.stringify(HUB));
    const repos = [`o/base@${COMMIT}`, `o/a@${COMMIT}`];
    expect(worker.last().request).toMatchObject({ kind: 'hub', repos, base: repos[0] });
    expect(hubStore.getState()).toMatchObject({ hubUrl: 'http://127.0.0.1:8080', repos });
    expect(worker.last().choices?.include).toEqual(['vision_model.*']);
  });

  it('asks no Hub that a link could not name', async () => {
    const elsewhere = { kind: 'hub', hub: 'http://hub.example' };
    await add('recipe.json', JSON.stringify({ ...HUB, group: elsewhere }));
    expect(jobStore.getState().alert?.message).toMatch(/recipe\.json names sources/);
    expect(worker.last().request).toEqual({ kind: 'demo', demo: 'lora' });
  });

  it('of files goes along with those that are open, and else names them', async () => {
    const own = JSON.stringify({ ...RECIPE, group: { kind: 'files' } });
    await add('recipe.json', own);
    expect(jobStore.getState().alert?.hint).toContain(SHA256);
    jobStore.setState({ alert: null });
    const weights = { path: 'x.safetensors', file: new File(['x'], 'x.safetensors') };
    addFiles([weights]);
    await add('recipe.json', own);
    expect(worker.last().request).toMatchObject({ files: [weights, { path: 'recipe.json' }] });
  });

  it('is refused when it is broken or huge, and leaves what is open', async () => {
    for (const text of ['{"peru": 1', '{}', ' '.repeat(5_000_001)]) {
      jobStore.setState({ alert: null });
      await add('recipe.json', text);
      expect(jobStore.getState().alert?.message).toContain('recipe.json');
    }
    expect(worker.jobs).toHaveLength(1);
  });

  it('lies beside weights like any other file', () => {
    const added = ['recipe.json', 'x.safetensors'].map((path) => ({
      path,
      file: new File([], path),
    }));
    addFiles(added);
    expect(worker.last().request).toMatchObject({ kind: 'files', files: added });
  });
});

describe('a mergekit configuration', () => {
  it('opens its repos, and tells what is not taken over', async () => {
    const text = [
      'merge_method: task_arithmetic',
      'base_model: o/base',
      'models:',
      '  - model: o/a',
      '    parameters: { weight: 0.4 }',
      '  - model: o/b',
      '    parameters: { weight: 0.4 }',
      'dtype: float16',
      'tokenizer_source: union',
    ].join('\n');
    await add('merge.yml', text);
    expect(worker.last().request).toMatchObject({
      kind: 'hub',
      repos: ['o/base', 'o/a', 'o/b'],
      base: 'o/base',
    });
    expect(recipeStore.getState().committed).toMatchObject({ lambda: 0.4, mergedDtype: 'F16' });
    expect(sourcesStore.getState().notes.join(' ')).toMatch(/tokenizer_source/);
    openDemo('fft');
    expect(sourcesStore.getState().notes).toEqual([]);
  });
});
