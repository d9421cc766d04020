import { beforeEach, describe, expect, it } from 'vitest';
import { commitRecipe, previewRecipe } from './recipe';
import { recipeStore } from '@/store/state/recipe';
import { resultsStore } from '@/store/state/results';
import {
  adapterGroupOf,
  groupOf,
  openAndLoad,
  type ScriptedWorker,
  scriptedWorker,
  spectraOf,
} from '@/store/state/scripted-worker';
import { openDemo } from './sources';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';
import { startPage } from './start';
import { resetJob } from './job';

const DONE = { status: 'done' } as const;

let worker: ScriptedWorker;
let search: string;

beforeEach(() => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  worker = scriptedWorker();
  search = '';
});

describe('adapters', () => {
  const adapters = adapterGroupOf(['a', 'b']);

  async function openAdapters(link = '?demo=lora'): Promise<void> {
    search = link;
    void startPage(worker, {
      get search() {
        return search;
      },
      replace(next) {
        search = next;
      },
    });
    await openAndLoad(worker, adapters);
    worker.last().emit(spectraOf(adapters.contents));
  }

  it('open by link, and the link carries the rank and nothing of the full fine-tunes', async () => {
    await openAdapters('?demo=lora&m=3&scope=tensor');
    expect(worker.jobs[0]?.request).toEqual({ kind: 'demo', demo: 'lora' });
    expect(worker.last().recipe?.rank).toEqual({ by: 'count', q: 8 });
    const linked = () => Object.fromEntries(new URLSearchParams(search));
    const merge = { demo: 'lora', merge: 'task-arithmetic', lambda: '0.2' };
    expect(linked()).toEqual({ ...merge, q: '8' });
    commitRecipe({ rank: { by: 'energy', percent: 95 } });
    expect(linked()).toEqual({ ...merge, rank: 'energy', energy: '95' });
    commitRecipe({ rank: { by: 'bytes', budget: 50_000 } });
    expect(linked()).toEqual({ ...merge, rank: 'bytes', budget: '50000' });
  });

  it('bring a rank or a budget from elsewhere within their own before anything runs', async () => {
    await openAdapters('?demo=lora&q=64');
    expect(worker.last().recipe?.rank).toEqual({ by: 'count', q: 16 });
    await openAdapters('?demo=lora&rank=bytes&budget=99999999999');
    const { rank } = worker.last().recipe!;
    const full = 2 * 18 * 16 * 4 * (64 + 64);
    expect(rank).toMatchObject({ by: 'bytes' });
    expect(rank.by === 'bytes' ? rank.budget : 0).toBeGreaterThanOrEqual(full);
    expect(rank.by === 'bytes' ? rank.budget : 0).toBeLessThan(1.1 * full);
  });

  it('ask for nothing while the rank moves and once when it is released', async () => {
    await openAdapters();
    await worker.last().end(DONE);
    const asked = worker.jobs.length;
    previewRecipe({ rank: { by: 'count', q: 4 } });
    expect(worker.jobs).toHaveLength(asked);
    expect(recipeStore.getState().draft.rank).toEqual({ by: 'count', q: 4 });
    commitRecipe({ rank: { by: 'count', q: 4 } });
    expect(worker.jobs).toHaveLength(asked + 1);
    commitRecipe({ rank: { by: 'count', q: 4 } });
    expect(worker.jobs).toHaveLength(asked + 1);
  });

  it('keep spectra and PERU-LoRA when the merge changes, which neither depends on', async () => {
    await openAdapters();
    for (const method of ['finetuned', 'merged', 'peru-lora@8', 'peru-lora@energy=95']) {
      const score = { method, task: 'a', metric: 'accuracy', value: 0.5, n: 9, total: 9 } as const;
      worker.last().emit({ type: 'score', score });
    }
    const facts = { method: 'peru-lora@8', task: 'a', ranks: [8], energyShare: 1, bytes: 9 };
    worker.last().emit({ type: 'low-rank', facts });
    commitRecipe({ lambda: 0.9 });
    const { scores, spectra, lowRank } = resultsStore.getState();
    expect(Object.keys(scores)).toEqual(['finetuned', 'peru-lora@8', 'peru-lora@energy=95']);
    expect(spectra?.spectra).toHaveLength(2);
    expect(lowRank['peru-lora@8']?.a).toEqual(facts);
  });

  it('leave nothing behind when the other demo opens', async () => {
    await openAdapters();
    openDemo('fft');
    expect(resultsStore.getState().spectra).toBeNull();
    await openAndLoad(worker, groupOf(['a']));
    expect([...new URLSearchParams(search).keys()]).toEqual([
      'demo',
      'merge',
      'lambda',
      'm',
      'scope',
    ]);
  });
});
