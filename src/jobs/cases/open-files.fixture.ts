/** Opens files as the page does, on the processor engine, and tells what came of it. */
import { testPlatform } from '@/jobs/context/test-platform.fixture';
import { NO_CHOICES } from '@/plan/preflight';
import { type ErrorFacts } from '@/core/errors';
import { type Preflight } from '@/plan/preflight';
import { type JobEvent } from '@/protocol/events';
import { type PeruWorker } from '@/protocol/peru-worker';
import { type Recipe } from '@/recipe/recipe';
import { createSession } from '@/jobs/session';
import { memoryStore, type MemoryStore } from '@/jobs/context/memory-store.fixture';
import { requestOf, RECIPE } from '@/jobs/staging/export-group.fixture';
import { type AddedFile } from '@/protocol/requests';

/** One of the two is null. */
export interface Opened {
  readonly preflight: Preflight | null;
  readonly error: ErrorFacts | null;
}

/** @param base path of the base's weights, once the visitor has chosen */
export async function openFiles(files: readonly AddedFile[], base?: string): Promise<Opened> {
  const { opened } = await openIn(createSession(testPlatform(memoryStore())), files, base);
  return opened;
}

/** Opens, loads and exports a group, by default at λ = 0.5, m = 10 %. */
export async function exportFiles(
  files: readonly AddedFile[],
  base?: string,
  recipe: Recipe = RECIPE,
): Promise<MemoryStore> {
  const store = memoryStore();
  const session = createSession(testPlatform(store));
  const { opened, hear } = await openIn(session, files, base);
  const outcomes = [await session.load(hear), await session.export(requestOf(recipe), hear)];
  const failed = outcomes.find(({ status }) => status !== 'done');
  if (failed !== undefined) {
    throw new Error(`The export failed: ${JSON.stringify({ opened: opened.error, failed })}`);
  }
  return store;
}

async function openIn(session: PeruWorker, files: readonly AddedFile[], base?: string) {
  const events: JobEvent[] = [];
  const hear = (event: JobEvent): void => {
    events.push(event);
  };
  const chosen = base === undefined ? {} : { base };
  const outcome = await session.open({ kind: 'files', files, ...chosen }, NO_CHOICES, hear);
  const told = events.findLast((event) => event.type === 'preflight');
  const error = outcome.status === 'failed' ? outcome.error : null;
  const opened: Opened = { preflight: told?.preflight ?? null, error };
  return { opened, hear };
}
