/** An engine that is lost in the middle of an export: nothing waits for it, nothing is left of it. */
import { SPARSE_METHODS } from '@/methods/registry';
import { DEFAULT_LORA } from '@/recipe/lora-choices';
import { testPlatform } from '@/jobs/context/test-platform.fixture';
import { expect, it } from 'vitest';
import { NO_CHOICES } from '@/plan/preflight';
import { type Platform } from '@/jobs/context/platform';
import { f32, soundFile } from '@/tensor/safetensors.fixture';
import { type JobEvent } from '@/protocol/events';
import { type ResultsFile } from '@/protocol/results-file';
import { createSession } from '@/jobs/session';
import { memoryStore } from '@/jobs/context/memory-store.fixture';

/** A platform whose engine is lost when it is told to be. */
function losing(platform: Platform) {
  let lose: (reason: string) => void = () => undefined;
  const lost = new Promise<string>((resolve) => {
    lose = resolve;
  });
  const chooseEngine: Platform['chooseEngine'] = async (asked) => {
    const chosen = await platform.chooseEngine(asked);
    return { ...chosen, engine: { ...chosen.engine, lost } };
  };
  return { platform: { ...platform, chooseEngine }, lose };
}

const RESULTS = { adapter: {}, tasks: [], average: {}, storage: [] } as unknown as ResultsFile;

it('fails at once, and takes back what was written before and after', async () => {
  let isLost = false;
  const store = memoryStore({
    onWrite: (path) => {
      if (path !== 'merged.safetensors' || isLost) return;
      isLost = true;
      lose('it ran out of memory');
    },
  });
  const { platform, lose } = losing(testPlatform(store));
  const session = createSession(platform);
  const events: JobEvent[] = [];

  const hear = (event: JobEvent): void => {
    events.push(event);
  };
  const files = [0, 1, 2].map((t) => {
    const values = Array.from({ length: 50 }, (_, i) => Math.sin(t + i));
    const content = soundFile({ w: f32([50], values) });
    return { path: `m${t}.safetensors`, file: new File([content], `m${t}.safetensors`) };
  });
  await session.open({ kind: 'files', files, base: 'm0.safetensors' }, NO_CHOICES, hear);
  await session.load(hear);
  const recipe = {
    mergeMethod: 'task-arithmetic',
    lambda: 0.5,
    keptPercent: 10,
    scope: 'global',
    compressors: SPARSE_METHODS,
    mergedDtype: null,
    valueDtype: 'F16',
    rescale: 'norm',
    rank: { by: 'count', q: 1 },
    lora: DEFAULT_LORA,
  } as const;
  const outcome = await session.export({ recipe, results: RESULTS, link: null }, hear);
  expect(outcome).toMatchObject({ status: 'failed', error: { kind: 'worker-stopped' } });
  expect(store.folderCount).toBe(0);
  const toldAtLoss = events.length;
  // What still went on by itself comes to nothing.
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(events).toHaveLength(toldAtLoss);
  expect(events.some(({ type }) => type === 'exported')).toBe(false);
  expect(await session.exportedFile('merged.safetensors')).toBeNull();
  expect(store.folderCount).toBe(0);
});
