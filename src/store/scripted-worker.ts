/** A worker for tests: it does nothing until the test says what it reports and how a job ends. */
import {
  type GroupFacts,
  type JobEvent,
  type JobOutcome,
  type PeruWorker,
  type Recipe,
  type SourceRequest,
} from '@/worker/protocol';

export interface ScriptedJob {
  readonly request: SourceRequest | null;
  readonly recipe: Recipe | null;
  readonly emit: (event: JobEvent) => void;
  /** Ends the job and lets everything that follows from it settle. */
  readonly end: (outcome: JobOutcome) => Promise<void>;
}

export interface ScriptedWorker extends PeruWorker {
  /** Every job asked for, in order. */
  readonly jobs: readonly ScriptedJob[];
  readonly last: () => ScriptedJob;
  readonly cancelCount: () => number;
}

export function scriptedWorker(): ScriptedWorker {
  const jobs: ScriptedJob[] = [];
  let cancels = 0;
  const job = (
    asked: Pick<ScriptedJob, 'request' | 'recipe'>,
    emit: (event: JobEvent) => void,
  ): Promise<JobOutcome> =>
    new Promise((resolve) => {
      const end = async (outcome: JobOutcome): Promise<void> => {
        resolve(outcome);
        await new Promise((next) => setTimeout(next));
      };
      jobs.push({ ...asked, emit, end });
    });
  return {
    jobs,
    last: () => {
      const latest = jobs.at(-1);
      if (latest === undefined) throw new Error('No job was asked for.');
      return latest;
    },
    cancelCount: () => cancels,
    open: (request, onEvent) => job({ request, recipe: null }, onEvent),
    run: (recipe, onEvent) => job({ request: null, recipe }, onEvent),
    cancel: () => {
      cancels += 1;
      return Promise.resolve();
    },
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
        dataset: rowCount === null ? null : { name, rowCount, classCount: 4 },
      })),
    ],
    elementCount: 1000,
    noAccuracyBecause: rowCount === null ? 'The files carry no data set.' : null,
    lambda: 0.2,
  };
}
