import { beforeEach, expect, it } from 'vitest';
import { recipeStore } from '@/store/state/recipe';
import { resultsStore } from '@/store/state/results';
import {
  groupOf,
  openAndLoad,
  type ScriptedWorker,
  scriptedWorker,
} from '@/store/state/scripted-worker';
import { taskBytes, taskBytesBounds } from '@/store/results/task-bytes';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';
import { jobStore } from '@/store/state/job';
import { resetJob } from './job';
import { commitRecipe, seekGoal } from './recipe';
import { showResults } from './results';
import { startPage } from './start';

const DONE = { status: 'done' } as const;
const GOAL = { kind: 'bytes', bytesPerTask: 9000 } as const;
const FOUND = {
  type: 'found',
  found: { change: { keptPercent: 3.21, valueDtype: 'Q2' }, chosenBy: 'a budget' },
} as const;

let worker: ScriptedWorker;
let search: string;

beforeEach(async () => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  worker = scriptedWorker();
  search = '?m=4';
  const address = {
    get search() {
      return search;
    },
    replace: (next: string) => (search = next),
  };
  void startPage(worker, address);
  await openAndLoad(worker, groupOf(['a', 'b']));
  await worker.last().end(DONE);
});

it('is looked for with the recipe at hand; what is found becomes the recipe, and the link', async () => {
  seekGoal(GOAL);
  expect(worker.last()).toMatchObject({ asked: 'run', goal: GOAL });
  expect(worker.last().recipe?.keptPercent).toBe(4);
  expect(recipeStore.getState().committed.keptPercent, 'until something is found').toBe(4);
  worker.last().emit(FOUND);
  const { committed, draft } = recipeStore.getState();
  expect(committed).toMatchObject({ keptPercent: 3.21, valueDtype: 'Q2' });
  expect(draft).toEqual(committed);
  expect(jobStore.getState().found).toEqual(FOUND.found);
  const query = new URLSearchParams(search);
  expect([query.get('m'), query.get('values')]).toEqual(['3.21', 'Q2']);
  await worker.last().end(DONE);
  expect(jobStore.getState().job).toMatchObject({ status: 'done', phase: 'run' });
  expect(resultsStore.getState().complete).toEqual(committed);
});

it('is forgotten by the next recipe', () => {
  seekGoal(GOAL);
  worker.last().emit(FOUND);
  commitRecipe({ keptPercent: 7 });
  expect(worker.last()).toMatchObject({ asked: 'run', goal: null });
  expect(jobStore.getState().found).toBeNull();
});

it('told again, with more, it drops no result', () => {
  seekGoal(GOAL);
  worker.last().emit(FOUND);
  const files = [{ name: 'a.sparse.safetensors', bytes: 8990 }];
  worker.last().emit({
    type: 'storage',
    rows: [{ method: 'peru-fft@3.21', files, bytes: 8990 }],
  });
  showResults();
  worker.last().emit({ ...FOUND, found: { ...FOUND.found, chosenBy: 'a budget, and more' } });
  expect(taskBytes(resultsStore.getState().storage, { keptPercent: 3.21 })).toBe(8990);
  expect(jobStore.getState().found?.chosenBy).toBe('a budget, and more');
});

it('bytes a task go from a step to a model, by round steps', () => {
  expect(taskBytesBounds({})).toBeNull();
  for (const bytes of [900, 1_880_000, 350_000_000, 14e9]) {
    const files = [{ name: 'a.safetensors', bytes }];
    const bounds = taskBytesBounds({ finetuned: { method: 'finetuned', files, bytes } })!;
    expect(bounds.max).toBe(bytes);
    expect(bounds.sliderMax).toBeGreaterThanOrEqual(0.08 * bytes);
    expect(Math.log10(bounds.step) % 1).toBe(0);
    expect(bounds.sliderMax / bounds.step).toBeLessThanOrEqual(1000);
  }
});
