/** Opens a group: headers, plan, engine, weights on the engine, and an evaluator where there is one. */
import { type ByteProgress, openWeights } from '@/sources/checkpoint-source';
import { readLicence } from '@/sources/model-card';
import { type GroupPlan, planGroup } from '@/plan/plan-group';
import { type CheckpointTensors, readFlatRange } from '@/tensor/checkpoint-tensors';
import { type FloatDtype } from '@/tensor/dtype';
import { type Engine, type WeightGroup } from '@/tensor/engine';
import { PeruError } from '@/tensor/errors';
import { planChunks } from '@/tensor/layout';
import { chooseEngine, type ChosenEngine } from './choose-engine';
import { deviceLoss } from './device-loss';
import { type GroupEvaluator, openEvaluator, type Scoring } from './group-evaluator';
import { groupSources, type GroupSources } from './group-sources';
import {
  type CheckpointCard,
  type GroupFacts,
  type JobEvent,
  type SourceRequest,
} from './protocol';
import { ScoreBook } from './score-book';

export interface OpenTask {
  readonly index: number;
  readonly name: string;
  readonly title: string;
  /** Rows of its test split; 0 when it has no data set. */
  readonly rowCount: number;
}

export interface OpenGroup {
  readonly sources: GroupSources;
  /** The base, then each task's checkpoint. */
  readonly checkpoints: Checkpoints;
  readonly plan: GroupPlan;
  readonly engine: Engine;
  readonly weights: WeightGroup;
  readonly tasks: readonly OpenTask[];
  /** Null when nothing can be scored. */
  readonly evaluator: GroupEvaluator | null;
  readonly book: ScoreBook;
  /** Dtype of theta*: that of most of the base's elements. */
  readonly mergedDtype: FloatDtype;
  /** `mergeKey` of the recipe theta* stands for now, or null. */
  mergedKey: string | null;
  dispose(): void;
}

type Checkpoints = readonly [base: CheckpointTensors, ...tasks: CheckpointTensors[]];

export interface Opening {
  readonly request: SourceRequest;
  readonly emit: (event: JobEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * Reads headers, plans, loads the weights to the engine and readies the evaluator. A group that
 * merges but can not be scored opens all the same, and its facts say why.
 *
 * @throws PeruError for whatever keeps the group from being merged
 */
export async function openGroup(opening: Opening): Promise<OpenGroup> {
  // The device opens while the files arrive.
  const engineReady = chooseEngine();
  const opened = assemble(opening, engineReady);
  const loss = engineReady.then(({ engine }) => deviceLoss(engine));
  try {
    return await Promise.race([opened, loss]);
  } catch (error) {
    const dispose = ({ engine }: ChosenEngine): void => {
      engine.dispose();
    };
    void engineReady.then(dispose, () => undefined);
    throw error;
  }
}

async function assemble(opening: Opening, engineReady: Promise<ChosenEngine>): Promise<OpenGroup> {
  const { request, emit, signal } = opening;
  const options = { signal, onProgress: byteProgress(emit) };
  const sources = await groupSources(request, options);
  const models = [sources.base, ...sources.tasks.map(({ model }) => model)];
  const scoringReady = engineReady.then((chosen) => openEvaluator(sources, chosen, options));
  try {
    const [base, ...others] = await Promise.all(models.map((one) => openWeights(one, options)));
    if (base === undefined) throw new Error('A group without a base was opened.');
    const checkpoints: Checkpoints = [base, ...others];
    const plan = planGroup({ base, tasks: others });
    const { engine } = await engineReady;
    const weights = await upload({ engine, plan, checkpoints, opening });
    const scoring = await scoringReady;
    signal.throwIfAborted();
    const { description: evaluator } = scoring;
    emit({ type: 'engine', engine: engine.kind, adapter: engine.adapter, evaluator });
    const group = groupOf({ sources, checkpoints, plan, engine, weights, scoring });
    emit({ type: 'group', group: await groupFacts(group, scoring.noAccuracyBecause) });
    return group;
  } catch (error) {
    // Also keeps a second failure from becoming an unhandled rejection.
    void scoringReady.then(
      ({ evaluator }) => evaluator?.dispose(),
      () => undefined,
    );
    throw error;
  }
}

type Parts = Pick<OpenGroup, 'sources' | 'checkpoints' | 'plan' | 'engine' | 'weights'> & {
  readonly scoring: Scoring;
};

function groupOf({ scoring: { evaluator }, ...parts }: Parts): OpenGroup {
  const { sources, plan, engine, weights } = parts;
  const tasks = sources.tasks.map(({ name, title }, index) => {
    return { index, name, title, rowCount: evaluator?.tasks[index]?.dataset.rowCount ?? 0 };
  });
  return {
    ...parts,
    tasks,
    evaluator,
    book: new ScoreBook(),
    mergedDtype: dominantDtype(plan),
    mergedKey: null,
    dispose: () => {
      evaluator?.dispose();
      weights.dispose();
      engine.dispose();
    },
  };
}

interface Upload {
  readonly engine: Engine;
  readonly plan: GroupPlan;
  readonly checkpoints: Checkpoints;
  readonly opening: Opening;
}

/** Copies every checkpoint's bytes to the engine, chunk by chunk, and looks for NaN and Inf. */
async function upload({ engine, plan, checkpoints, opening }: Upload): Promise<WeightGroup> {
  const { request, emit, signal } = opening;
  const { layout, dtypeOf, uploadBytes } = plan;
  const taskCount = checkpoints.length - 1;
  const maxElements = engine.maxChunkElements(taskCount);
  const chunks = planChunks(layout, checkpoints.length, dtypeOf, maxElements);
  const weights = engine.createGroup({ layout, chunks, taskCount });
  let done = 0;
  for (const { index, flatStart, elementCount } of chunks) {
    for (const [checkpointIndex, checkpoint] of checkpoints.entries()) {
      const bytes = await readFlatRange(checkpoint, layout, flatStart, elementCount);
      signal.throwIfAborted();
      weights.upload(checkpointIndex, index, bytes);
      done += bytes.byteLength;
      emit({
        type: 'progress',
        progress: { stage: 'Loading weights', done, total: uploadBytes, unit: 'bytes' },
      });
    }
  }
  const allowed = request.kind === 'files' && request.allowNonFinite === true;
  if (!allowed) await refuseNonFinite(weights, checkpoints);
  return weights;
}

/** @throws PeruError `parse` naming the tensors that hold NaN or Inf, with their counts */
async function refuseNonFinite(weights: WeightGroup, checkpoints: Checkpoints): Promise<void> {
  for (const [index, { name }] of checkpoints.entries()) {
    const counts = await weights.countNonFinite(index);
    const bad = weights.layout.tensors
      .map((tensor, i) => ({ name: tensor.name, count: counts[i] ?? 0 }))
      .filter(({ count }) => count > 0);
    if (bad.length === 0) continue;
    const listed = bad.slice(0, 3).map((tensor) => `"${tensor.name}" (${tensor.count})`);
    const more = bad.length > 3 ? ` and ${bad.length - 3} more tensors` : '';
    throw new PeruError(
      'non-finite',
      `${name} holds NaN or Inf in ${listed.join(', ')}${more}.`,
      'Use a checkpoint from before training diverged, or go on if you know what these entries are.',
    );
  }
}

async function groupFacts(group: OpenGroup, noAccuracyBecause: string | null): Promise<GroupFacts> {
  const { sources, plan, checkpoints, evaluator } = group;
  const models = [
    {
      role: 'base' as const,
      name: sources.base.name,
      title: 'Base model',
      model: sources.base,
      dataset: null,
    },
    ...sources.tasks.map(({ name, title, model }, index) => {
      return {
        role: 'task' as const,
        name,
        title,
        model,
        dataset: evaluator?.tasks[index]?.dataset ?? null,
      };
    }),
  ];
  const cards = models.map(
    async ({ role, name, title, model, dataset }, index): Promise<CheckpointCard> => {
      const { parameterCount, dtypes, tensorCount } = plan.checkpoints[index]!;
      return {
        id: model.id,
        role,
        name,
        title,
        checkpoint: model.name,
        byteLength: checkpoints[index]!.byteLength,
        dtypes,
        parameterCount,
        tensorCount,
        licence: await readLicence(await model.open('README.md')),
        dataset: dataset && {
          name: dataset.name,
          rowCount: dataset.rowCount,
          classCount: dataset.classNames.length,
        },
      };
    },
  );
  return {
    title: sources.title,
    cards: await Promise.all(cards),
    elementCount: plan.layout.elementCount,
    noAccuracyBecause,
    lambda: sources.lambda,
  };
}

/** Dtype of most of the base's merged elements. */
function dominantDtype({ layout, dtypeOf }: GroupPlan): FloatDtype {
  const elements = new Map<FloatDtype, number>();
  for (const { name, elementCount } of layout.tensors) {
    const dtype = dtypeOf(0, name);
    elements.set(dtype, (elements.get(dtype) ?? 0) + elementCount);
  }
  return [...elements].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'F32';
}

/** Adds up the bytes of files that arrive side by side. */
function byteProgress(emit: Opening['emit']): (progress: ByteProgress) => void {
  const files = new Map<string, ByteProgress>();
  return (progress) => {
    files.set(progress.path, progress);
    let done = 0;
    let total = 0;
    for (const { loadedBytes, totalBytes } of files.values()) {
      done += loadedBytes;
      total += totalBytes ?? loadedBytes;
    }
    emit({ type: 'progress', progress: { stage: 'Fetching files', done, total, unit: 'bytes' } });
  };
}
