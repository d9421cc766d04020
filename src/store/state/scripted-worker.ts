/** A worker for tests: it does nothing until the test says what it reports and how a job ends. */
import { type AdapterContents } from '@/export/adapter/adapter-contents';
import { type PlanChoices, type Preflight } from '@/plan/preflight';
import { type JobEvent, type JobOutcome } from '@/protocol/events';
import { type ExportFacts } from '@/protocol/export-facts';
import { type Goal } from '@/protocol/goal';
import { type GroupFacts } from '@/protocol/group-facts';
import { type PeruWorker } from '@/protocol/peru-worker';
import { type ExportRequest, type SourceRequest, type UploadRequest } from '@/protocol/requests';
import { type Recipe } from '@/recipe/recipe';

export interface ScriptedJob {
  readonly asked: 'open' | 'plan' | 'load' | 'run' | 'export' | 'zip' | 'saveTo' | 'upload';
  /** Of an `open`. */
  readonly request: SourceRequest | null;
  /** Of an `open` or a `plan`. */
  readonly choices: PlanChoices | null;
  /** Of a `run`. */
  readonly recipe: Recipe | null;
  /** Of a `run` that looks for one. */
  readonly goal: Goal | null;
  /** Of an `export`. */
  readonly made: ExportRequest | null;
  /** Of a `saveTo`. */
  readonly folder: FileSystemDirectoryHandle | null;
  /** Of an `upload`. */
  readonly upload: UploadRequest | null;
  readonly emit: (event: JobEvent) => void;
  /** Ends the job and lets everything that follows from it settle. */
  readonly end: (outcome: JobOutcome) => Promise<void>;
}

export interface ScriptedWorker extends PeruWorker {
  /** Every job asked for, in order. */
  readonly jobs: readonly ScriptedJob[];
  readonly last: () => ScriptedJob;
  readonly cancelCount: () => number;
  /** What `exportedFile` hands out, by path; none to begin with. */
  readonly files: Map<string, File>;
}

export function scriptedWorker(): ScriptedWorker {
  const jobs: ScriptedJob[] = [];
  const files = new Map<string, File>();
  let cancels = 0;
  const job = (
    asked: Partial<ScriptedJob> & Pick<ScriptedJob, 'asked'>,
    emit: (event: JobEvent) => void,
  ): Promise<JobOutcome> =>
    new Promise((resolve) => {
      const end = async (outcome: JobOutcome): Promise<void> => {
        resolve(outcome);
        await new Promise((next) => setTimeout(next));
      };
      jobs.push({ ...NOTHING_ASKED, ...asked, emit, end });
    });
  return {
    jobs,
    last: () => {
      const latest = jobs.at(-1);
      if (latest === undefined) throw new Error('No job was asked for.');
      return latest;
    },
    cancelCount: () => cancels,
    files,
    open: (request, choices, onEvent) => job({ asked: 'open', request, choices }, onEvent),
    plan: (choices, onEvent) => job({ asked: 'plan', choices }, onEvent),
    load: (onEvent) => job({ asked: 'load' }, onEvent),
    run: (recipe, onEvent, goal) => job({ asked: 'run', recipe, goal: goal ?? null }, onEvent),
    export: (made, onEvent) => job({ asked: 'export', made }, onEvent),
    exportedFile: (path) => Promise.resolve(files.get(path) ?? null),
    zip: (onEvent) => job({ asked: 'zip' }, onEvent),
    saveTo: (folder, onEvent) => job({ asked: 'saveTo', folder }, onEvent),
    upload: (upload, onEvent) => job({ asked: 'upload', upload }, onEvent),
    cancel: () => {
      cancels += 1;
      return Promise.resolve();
    },
  };
}

const NOTHING_ASKED = {
  request: null,
  choices: null,
  recipe: null,
  goal: null,
  made: null,
  folder: null,
  upload: null,
};

const DONE = { status: 'done' } as const;

/** Ends the opening in hand, of a group that starts by itself, and its loading: a run is next. */
export async function openAndLoad(worker: ScriptedWorker, group: GroupFacts): Promise<void> {
  worker.last().emit({ type: 'preflight', preflight: preflightOf(group) });
  await worker.last().end(DONE);
  worker.last().emit({ type: 'group', group });
  await worker.last().end(DONE);
}

/** Ends the opening in hand with a report that waits for Start. */
export async function openToReport(
  worker: ScriptedWorker,
  preflight: Partial<Preflight> = {},
): Promise<void> {
  const report = { ...preflightOf(groupOf(['a', 'b'])), startsByItself: false, ...preflight };
  worker.last().emit({ type: 'preflight', preflight: report });
  await worker.last().end(DONE);
}

/** A report on a group that starts by itself: small, resident, all well. */
export function preflightOf(group: GroupFacts): Preflight {
  const bytes = group.cards.reduce((sum, card) => sum + card.byteLength, 0);
  return {
    title: group.title,
    kind: group.contents.kind,
    checkpoints: group.cards.map((card) => ({ ...card, origin: `folder ${card.checkpoint}` })),
    findings: [
      {
        level: 'ok',
        topic: 'tensors',
        title: 'Every tensor fits the base.',
        detail: '',
        names: [],
        moreNames: 0,
      },
    ],
    tensors: { mergedTensors: 4, mergedElements: 1000, untouchedTensors: 0, ownTensors: 0 },
    bytes: { neededBytes: bytes, toFetchBytes: 0, keptBytes: 0 },
    memory: {
      mode: 'resident',
      peakBytes: 2 * bytes,
      leastBytes: bytes,
      parts: [{ label: 'Weights', bytes: 2 * bytes }],
      budgetBytes: 100 * bytes,
      suggestedBudgetBytes: 100 * bytes,
      readsPerByte: 1,
      diskBytes: 0,
      freeDiskBytes: null,
    },
    startsByItself: true,
  };
}

/** Facts of a group with a base and these tasks, each with a test split of `rowCount` images. */
export function groupOf(taskNames: readonly string[], rowCount: number | null = 200): GroupFacts {
  const card = { byteLength: 4000, dtypes: ['F32'], parameterCount: 1000, tensorCount: 4 };
  return {
    title: 'Test group',
    cards: [
      {
        ...card,
        id: 'base',
        role: 'base',
        name: 'base',
        title: 'Base',
        checkpoint: 'base',
        licence: null,
        dataset: null,
      },
      ...taskNames.map((name) => ({
        ...card,
        id: name,
        role: 'task' as const,
        name,
        title: name.toUpperCase(),
        checkpoint: `model-${name}`,
        licence: 'mit',
        dataset:
          rowCount === null
            ? null
            : {
                name,
                rowCount,
                rowKind: 'image' as const,
                classCount: 4,
                metric: 'accuracy' as const,
              },
      })),
    ],
    contents: { kind: 'full', elementCount: 1000 },
    noAccuracyBecause: rowCount === null ? 'The files carry no data set.' : null,
    lambda: 0.2,
  };
}

/** Facts of a group of rank-16 adapters whose tasks are texts; the last is scored by Spearman. */
export function adapterGroupOf(
  taskNames: readonly string[],
  moduleNames: readonly string[] = MODULE_NAMES,
): GroupFacts & { readonly contents: AdapterContents } {
  const group = groupOf(taskNames);
  const modules = moduleNames.map((name) => ({ name, rows: 64, columns: 64 }));
  return {
    ...group,
    title: 'Test adapters',
    cards: group.cards.map((card, index) => {
      if (card.dataset === null) return card;
      const isScale = index === taskNames.length;
      return {
        ...card,
        dataset: {
          ...card.dataset,
          rowKind: 'text',
          classCount: isScale ? null : 2,
          metric: isScale ? 'spearman' : 'accuracy',
        },
      };
    }),
    contents: {
      kind: 'adapters',
      modules,
      tasks: taskNames.map((task) => {
        const ranks = modules.map(() => 16);
        const source = { taskType: null, modelClass: null, modulesToSave: [], tiesWeights: false };
        return { task, ranks, writtenNames: {}, copies: [], source };
      }),
      baseModel: null,
      maxRank: 16,
    },
  };
}

/** Modules of a small T5: three blocks of q and v in each of its three kinds of attention. */
const MODULE_NAMES = [
  ['encoder', '0.SelfAttention'],
  ['decoder', '0.SelfAttention'],
  ['decoder', '1.EncDecAttention'],
].flatMap(([stack, layer]) =>
  [0, 1, 2].flatMap((block) =>
    ['q', 'v'].map((part) => `${stack}.block.${block}.layer.${layer}.${part}.weight`),
  ),
);

/** What an export of a full group of these tasks tells at its end. */
export function exportOf(taskNames: readonly string[]): ExportFacts {
  const file = (path: string, bytes: number, kind: ExportFacts['files'][number]['kind']) => ({
    path,
    bytes,
    sha256: Array.from(path, (letter) => letter.charCodeAt(0).toString(16))
      .join('')
      .padEnd(64, '0')
      .slice(0, 64),
    kind,
  });
  const files = [
    file('merged.safetensors', 4200, 'merged'),
    file('model.safetensors.index.json', 150, 'merged'),
    file('config.json', 310, 'side'),
    ...taskNames.map((name) => file(`${name}.sparse.safetensors`, 700, 'sparse')),
    file('README.md', 2400, 'about'),
    file('recipe.json', 900, 'about'),
    file('results.json', 1300, 'about'),
  ];
  return {
    files,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    index: taskNames.map((task) => ({ task, kept: 100, gapBytes: 110, entropyBytes: 58.6 })),
    seconds: 0.4,
  };
}

/** Geometric spectra, each module and task with a decay of its own. */
export function spectraOf({ modules, tasks }: AdapterContents): JobEvent {
  return {
    type: 'spectra',
    report: { residual: 3.1e-7, orthogonality: 4.4e-7, sweeps: 6, dispatches: 9 },
    spectra: tasks.map(({ task, ranks }, t) => ({
      task,
      modules: modules.map((_, m) => {
        const decay = 0.55 + 0.3 * Math.abs(Math.sin(1.7 * m + t));
        return Float32Array.from({ length: ranks[m] ?? 0 }, (_, i) => (1 + m / 20) * decay ** i);
      }),
    })),
  };
}
