import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { EXPORTS, exportLock } from '@/platform/browser/export-locks';
import { setAccessToken, setHub } from './hub';
import { hubStore, INITIAL_HUB_STATE } from '@/store/state/hub';
import { cancelJob, resetJob } from './job';
import { selectCanRetry } from '@/store/job/selectors';
import { jobStore } from '@/store/state/job';
import { commitRecipe } from './recipe';
import { recipeStore } from '@/store/state/recipe';
import { resultsStore } from '@/store/state/results';
import {
  exportOf,
  groupOf,
  openAndLoad,
  type ScriptedWorker,
  scriptedWorker,
} from '@/store/state/scripted-worker';
import { openDemo } from './sources';
import { INITIAL_SOURCES, sourcesStore } from '@/store/state/sources';
import { startPage } from './start';
import { exportedFile, exportFiles, saveExport, uploadExport, zipExport } from './export';
import { exportReadiness } from '@/store/export/readiness';
import { exportStore } from '@/store/state/export';

/** Locks of one export that a worker holds: how often the page has asked to hold it on. */
const disk: { holds: { isHeld: boolean }[] } = { holds: [] };
const LOCKS = {
  query: () =>
    Promise.resolve({ held: [{ name: exportLock(EXPORTS, 'made'), mode: 'exclusive' }] }),
  request: (_: string, { signal }: { signal: AbortSignal }) => {
    const hold = { isHeld: true };
    disk.holds.push(hold);
    signal.addEventListener('abort', () => {
      hold.isHeld = false;
    });
    return Promise.resolve();
  },
};

beforeAll(() => {
  vi.stubGlobal('navigator', { locks: LOCKS });
});

afterAll(() => {
  vi.unstubAllGlobals();
});

const DONE = { status: 'done' } as const;
const FULL_DISK = {
  status: 'failed',
  error: { kind: 'internal', message: 'The disk is full.', hint: 'Free space.' },
} as const;
const LOST = {
  status: 'failed',
  error: { kind: 'device-lost', message: 'The GPU was lost.', hint: 'Try again.' },
} as const;
const PAGE = 'https://peru.example/page/?m=3#part';
const TARGET = { repo: 'me/merged', isPrivate: true };

let worker: ScriptedWorker;

beforeEach(async () => {
  resetJob();
  sourcesStore.setState(INITIAL_SOURCES, true);
  hubStore.setState(INITIAL_HUB_STATE, true);
  worker = scriptedWorker();
  void startPage(worker, { search: '?demo=fft&m=10', replace: () => undefined });
  await openAndLoad(worker, groupOf(['a', 'b']));
});

/** Everything the run computes, to its end. */
async function finishRun(): Promise<void> {
  const adapter = { vendor: '', architecture: '', description: '', fallback: true };
  worker.last().emit({ type: 'engine', engine: 'webgpu', adapter, evaluator: '' });
  worker.last().emit({ type: 'storage', rows: [{ method: 'merged', files: [], bytes: 9 }] });
  await worker.last().end(DONE);
}

async function makeExport(): Promise<void> {
  await finishRun();
  void exportFiles(PAGE);
  const facts = exportOf(['a', 'b']);
  worker.files.set('merged.safetensors', new File(['weights'], 'merged.safetensors'));
  worker.last().emit({ type: 'exported', facts });
  await worker.last().end(DONE);
}

function readiness() {
  return exportReadiness({
    job: jobStore.getState().job,
    weights: sourcesStore.getState().weights,
    complete: resultsStore.getState().complete,
    committed: recipeStore.getState().committed,
  });
}

const made = () => exportStore.getState().made;
const asked = () => worker.last().asked;

describe('making files', () => {
  it('waits for the whole run, and takes recipe, results and a clean link along', async () => {
    void exportFiles(PAGE);
    expect([asked(), readiness()]).toEqual(['run', 'computing']);
    await finishRun();
    expect(readiness()).toBe('ready');
    void exportFiles(PAGE);
    expect([asked(), readiness()]).toEqual(['export', 'busy']);
    const request = worker.last().made!;
    expect(request.recipe).toBe(recipeStore.getState().committed);
    expect(request.results.storage[0]?.method).toBe('merged');
    const link = new URL(request.link!);
    expect(link.origin + link.pathname + link.hash).toBe('https://peru.example/page/');
    expect(link.searchParams.get('demo')).toBe('fft');
    expect(link.searchParams.get('m')).toBe('10');
  });

  it('links nothing that lies on a disk', async () => {
    await finishRun();
    sourcesStore.setState({ request: { kind: 'files', files: [] } });
    void exportFiles(PAGE);
    expect(worker.last().made?.link).toBeNull();
  });

  it('is not offered where the run ended early, and is again after another', async () => {
    cancelJob();
    expect(readiness()).toBe('unfinished');
    void exportFiles(PAGE);
    expect(asked()).toBe('run');
    commitRecipe({ keptPercent: 5 });
    expect(readiness()).toBe('computing');
    await finishRun();
    expect(readiness()).toBe('ready');
  });

  it('keeps to the recipe it is of, also once another is shown', async () => {
    await makeExport();
    commitRecipe({ keptPercent: 5 });
    expect(made()?.recipe.keptPercent).toBe(10);
    expect(made()?.facts.files).toHaveLength(8);
    await finishRun();
    void exportFiles(PAGE);
    worker.last().emit({ type: 'exported', facts: exportOf(['a']) });
    await worker.last().end(DONE);
    expect(made()?.recipe.keptPercent).toBe(5);
    expect(jobStore.getState().job).toMatchObject({ status: 'done', phase: 'export' });
  });

  it('forgets the files once something else is opened', async () => {
    await makeExport();
    openDemo('lora');
    expect(exportStore.getState()).toMatchObject({ made: null, zip: null, uploaded: null });
  });

  it('leaves the results complete and retries nothing by itself when it fails', async () => {
    await makeExport();
    void exportFiles(PAGE);
    await worker.last().end(FULL_DISK);
    expect(jobStore.getState().alert?.message).toBe('The disk is full.');
    expect(selectCanRetry(jobStore.getState())).toBe(false);
    expect(readiness()).toBe('ready');
    expect(made(), 'the one before had to go').toBeNull();
  });

  it('lists nothing after a cancel, which the worker may have heard too late', async () => {
    await makeExport();
    void exportFiles(PAGE);
    const late = worker.last();
    cancelJob();
    // Of another recipe, perhaps: the files that are listed would not be those that are there.
    late.emit({ type: 'exported', facts: exportOf(['a']) });
    await late.end(DONE);
    expect(made()).toBeNull();
    expect(readiness()).toBe('ready');
  });

  it('is over when the GPU is lost, until the group is opened again', async () => {
    await makeExport();
    void exportFiles(PAGE);
    await worker.last().end(LOST);
    expect(readiness()).toBe('gone');
    expect(selectCanRetry(jobStore.getState())).toBe(true);
    const jobs = worker.jobs.length;
    void zipExport();
    expect(worker.jobs).toHaveLength(jobs);
  });
});

describe('taking files along', () => {
  it('hands out one file, and says so where it is gone', async () => {
    await makeExport();
    expect(await (await exportedFile('merged.safetensors'))?.text()).toBe('weights');
    expect(await exportedFile('a.sparse.safetensors')).toBeNull();
    expect(jobStore.getState().alert?.message).toMatch(/a\.sparse\.safetensors/);
  });

  it('packs one zip, and none where packing ended early', async () => {
    await makeExport();
    const packed = zipExport();
    const zip = new File(['PK'], 'peru-export.zip');
    worker.last().emit({ type: 'zipped', file: zip });
    await worker.last().end(DONE);
    expect(await packed).toBe(zip);
    const again = zipExport();
    await worker.last().end(FULL_DISK);
    expect(await again, 'no zip of before').toBeNull();
    expect(made()).not.toBeNull();
  });

  it('keeps what was handed out until the second export from then', async () => {
    const held = () => disk.holds.map(({ isHeld }) => isHeld);
    const packed = async (): Promise<void> => {
      const zip = zipExport();
      worker.last().emit({ type: 'zipped', file: new File(['PK'], 'peru-export.zip') });
      await worker.last().end(DONE);
      await zip;
    };
    await makeExport();
    disk.holds = [];
    await exportedFile('no such file');
    expect(held(), 'nothing was handed out').toEqual([]);
    await exportedFile('merged.safetensors');
    await packed();
    expect(held()).toEqual([true, true]);
    for (let tries = 0; tries < 2; tries++) {
      void exportFiles(PAGE);
      cancelJob();
      await worker.last().end({ status: 'cancelled' });
    }
    void exportFiles(PAGE);
    await worker.last().end(FULL_DISK);
    expect(held(), 'the browser may still be saving it').toEqual([true, true]);
    await makeExport();
    expect(held(), 'its room is free for the second').toEqual([false, false]);
    await packed();
    openDemo('lora');
    expect(held()).toEqual([false, false, true]);
  });

  it('saves into a folder, and tells which', async () => {
    await makeExport();
    const folder = { name: 'disk' } as FileSystemDirectoryHandle;
    void saveExport(folder);
    expect(worker.last().folder).toBe(folder);
    expect(exportStore.getState().savedTo).toBeNull();
    await worker.last().end(DONE);
    expect(exportStore.getState().savedTo).toBe('disk');
  });

  it('uploads to the Hub in use with its token, and tells where it went', async () => {
    await makeExport();
    setHub('http://127.0.0.1:8080');
    setAccessToken('hf_secret');
    void uploadExport(TARGET);
    expect(worker.last().upload).toEqual({
      repo: 'me/merged',
      private: true,
      hubUrl: 'http://127.0.0.1:8080',
      accessToken: 'hf_secret',
      signedIn: false,
    });
    const commit = { url: 'http://127.0.0.1:8080/me/merged/commit/1a', commit: '1a' };
    worker.last().emit({ type: 'uploaded', ...commit });
    await worker.last().end(DONE);
    expect(exportStore.getState().uploaded).toEqual({ ...TARGET, ...commit });
    expect(JSON.stringify(exportStore.getState())).not.toContain('hf_secret');
  });

  it('tells of the latest failure, not of the one before', async () => {
    await makeExport();
    void uploadExport(TARGET);
    await worker.last().end(FULL_DISK);
    void uploadExport(TARGET);
    expect(jobStore.getState().alert).toBeNull();
    const refused = { kind: 'source', message: 'The Hub said no.', hint: 'Ask it.' } as const;
    await worker.last().end({ status: 'failed', error: refused });
    expect(jobStore.getState().alert).toEqual(refused);
  });

  it('interrupts no run', async () => {
    await makeExport();
    commitRecipe({ keptPercent: 5 });
    const jobs = worker.jobs.length;
    void zipExport();
    void uploadExport(TARGET);
    void saveExport({ name: 'disk' } as FileSystemDirectoryHandle);
    expect(worker.jobs).toHaveLength(jobs);
  });
});
