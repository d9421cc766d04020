/**
 * LoRA files at a lower rank in Node on the processor's threads, from files to files:
 * `job-loras.js BUDGET RANK OUT FILE...`, BUDGET the bytes that may be held.
 */
import { mkdirSync, openAsBlob, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createSession } from '../../src/jobs/session';
import { type Platform } from '../../src/jobs/context/platform';
import { type StagingFolder } from '../../src/jobs/context/export-store';
import { nodeThreads } from '../../src/platform/node/processor-threads';
import { createProcessorEngine } from '../../src/processor/engine';
import { type JobEvent, type JobOutcome } from '../../src/protocol/events';
import { DEFAULT_LORA } from '../../src/recipe/lora-choices';
import { DEFAULT_RECIPE } from '../../src/store/state/recipe';
import { recordLine } from '../record';

const [budget, rank, out = '', ...paths] = process.argv.slice(2);
const budgetBytes = Number(budget);
const script = new URL('./processor-thread.js', import.meta.url);
const threads = availableParallelism();
const engine = createProcessorEngine(nodeThreads(script, threads));

/** A folder of this disk, for one export. */
function diskFolder(): StagingFolder {
  return {
    create: async (path) => {
      mkdirSync(dirname(join(out, path)), { recursive: true });
      const file = await open(join(out, path), 'w+');
      return {
        write: async (bytes, at) => {
          await file.write(bytes, 0, bytes.length, at);
        },
        close: () => file.close(),
      };
    },
    open: async (path) => new File([await openAsBlob(join(out, path))], basename(path)),
    remove: () => Promise.resolve(),
    leave: () => Promise.resolve(),
  };
}

const platform: Platform = {
  chooseEngine: () => Promise.resolve({ engine, device: null }),
  mainMemoryGib: null,
  lanes: {
    most: 1,
    shareMemory: false,
    start: () => {
      throw new Error('Nothing is scored.');
    },
  },
  exports: {
    create: () => Promise.resolve(diskFolder()),
    sweep: () => Promise.resolve(),
    freeBytes: () => Promise.resolve(null),
  },
  openHubCache: () => Promise.resolve(null),
  freeCacheBytes: () => Promise.resolve(null),
  siteUrl: () => new URL('http://localhost/'),
  saveToFolder: () => Promise.reject(new Error('Nothing is saved.')),
};

rmSync(out, { recursive: true, force: true });
const files = await Promise.all(
  paths.map(async (path) => ({
    path: basename(path),
    file: new File([await openAsBlob(path)], basename(path)),
  })),
);
const session = createSession(platform);
const events: JobEvent[] = [];
const hear = (event: JobEvent): void => {
  if (event.type !== 'progress') events.push(event);
};
const recipe = {
  ...DEFAULT_RECIPE,
  rank: { by: 'count' as const, q: Number(rank) },
  lora: DEFAULT_LORA,
};
const start = performance.now();
const busy = process.cpuUsage();
const stages: string[] = [];
await stage(
  'open',
  session.open({ kind: 'files', files }, { budgetBytes, include: [], exclude: [] }, hear),
);
await stage('factorise', session.load(hear));
await stage('rank', session.run(recipe, hear));
const results = { peru: 1 as const, adapter: engine.adapter, engine: engine.kind, recipe: {} };
const empty = { tasks: [], average: {}, storage: [], seconds: {}, memory: null };
await stage(
  'write',
  session.export({ recipe, results: { ...results, ...empty }, link: null }, hear),
);
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(busy);
const peakBytes = process.resourceUsage().maxRSS * 1024;
engine.dispose();

const preflight = events.find((event) => event.type === 'preflight')!.preflight;
const spectra = events.find((event) => event.type === 'spectra')!;
const readBytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
const { modules } = spectra.spectra[0]!;
const planned = preflight.memory.peakBytes;
console.log(
  `Peru, ${threads} threads, ${files.length} files of ${modules.length} modules, ${(readBytes / 1e9).toFixed(2)} GB, ` +
    `${preflight.memory.mode}: ${seconds.toFixed(1)} s (${stages.join(', ')}), ` +
    `${((user + system) / 1e6).toFixed(1)} s of processors; engine planned ${(planned / 1e9).toFixed(2)} GB, ` +
    `held ${(engine.memory().peakBytes / 1e9).toFixed(2)}, process ${(peakBytes / 1e9).toFixed(2)}; ` +
    `residual ${spectra.report.residual.toExponential(1)}`,
);
console.log(
  recordLine('loras', {
    program: 'Peru',
    ...{
      seconds,
      processorSeconds: (user + system) / 1e6,
      peakBytes,
      plannedBytes: planned,
      readBytes,
    },
    enginePeakBytes: engine.memory().peakBytes,
    modules: files.length * modules.length,
  }),
);

async function stage(name: string, outcome: Promise<JobOutcome>): Promise<void> {
  const from = performance.now();
  const ended = await outcome;
  if (ended.status !== 'done') throw new Error(`${name}: ${JSON.stringify(ended)}`);
  stages.push(`${name} ${((performance.now() - from) / 1000).toFixed(1)}`);
}
