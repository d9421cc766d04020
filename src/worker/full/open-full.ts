/** Opens a group of full fine-tunes: every checkpoint's weights on the engine, in their own dtype. */
import { type FullSources } from '@/worker/group-sources';
import { type OpeningParts } from '@/worker/open-group';
import { openWeights } from '@/sources/checkpoint-source';
import { type GroupPlan, planGroup } from '@/plan/plan-group';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { type FloatDtype } from '@/tensor/dtype';
import { type Engine, type WeightGroup } from '@/tensor/engine';
import { checkpointCard } from '@/worker/checkpoint-card';
import { type GroupFacts } from '@/worker/protocol';
import { type Scoring } from '@/worker/scoring/group-evaluator';
import { openEvaluator } from '@/worker/scoring/open-evaluator';
import { ScoreBook } from '@/worker/scoring/score-book';
import { type ScoredGroup } from '@/worker/scoring/scored-group';
import { uploadCheckpoints } from '@/worker/upload';
import { MeasureBook } from './measure-book';

export interface FullGroup extends ScoredGroup {
  readonly kind: 'full';
  readonly sources: FullSources;
  /** The base, then each task's checkpoint. */
  readonly checkpoints: Checkpoints;
  readonly plan: GroupPlan;
  readonly weights: WeightGroup;
  readonly measures: MeasureBook;
  /** Dtype of theta*: that of most of the base's elements. */
  readonly mergedDtype: FloatDtype;
  /** `mergeKey` of the recipe theta* stands for now, or null. */
  mergedKey: string | null;
  dispose(): void;
}

type Checkpoints = readonly [base: CheckpointTensors, ...tasks: CheckpointTensors[]];

/** @throws PeruError for whatever keeps the group from being merged */
export async function openFullGroup(sources: FullSources, parts: OpeningParts): Promise<FullGroup> {
  const { engineReady, options, emit, signal } = parts;
  const models = [sources.base, ...sources.tasks.map(({ model }) => model)];
  const tests = sources.tasks.map(({ scoredOn }) => scoredOn);
  const scoringReady = engineReady.then((chosen) =>
    openEvaluator(sources.base, tests, chosen, options),
  );
  try {
    const [base, ...others] = await Promise.all(models.map((one) => openWeights(one, options)));
    if (base === undefined) throw new Error('A group without a base was opened.');
    const checkpoints: Checkpoints = [base, ...others];
    const plan = planGroup({ base, tasks: others });
    const { engine } = await engineReady;
    const weights = await uploadCheckpoints(engine, { ...plan, checkpoints }, parts);
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

interface Parts extends Pick<FullGroup, 'sources' | 'checkpoints' | 'plan' | 'weights'> {
  readonly engine: Engine;
  readonly scoring: Scoring;
}

function groupOf({ scoring: { evaluator }, ...parts }: Parts): FullGroup {
  const { sources, plan, engine, weights } = parts;
  const tasks = sources.tasks.map(({ name, title }, index) => {
    return { index, name, title, rowCount: evaluator?.splits[index]?.rowCount ?? 0 };
  });
  return {
    ...parts,
    kind: 'full',
    tasks,
    evaluator,
    book: new ScoreBook(),
    measures: new MeasureBook(),
    mergedDtype: dominantDtype(plan),
    mergedKey: null,
    dispose: () => {
      evaluator?.dispose();
      weights.dispose();
      engine.dispose();
    },
  };
}

async function groupFacts(group: FullGroup, noAccuracyBecause: string | null): Promise<GroupFacts> {
  const { sources, plan, checkpoints, evaluator } = group;
  const cards = [
    checkpointCard({
      role: 'base',
      name: sources.base.name,
      title: 'Base model',
      repo: sources.base,
      byteLength: checkpoints[0].byteLength,
      facts: plan.checkpoints[0]!,
      split: null,
    }),
    ...sources.tasks.map(({ name, title, model }, index) =>
      checkpointCard({
        role: 'task',
        name,
        title,
        repo: model,
        byteLength: checkpoints[index + 1]!.byteLength,
        facts: plan.checkpoints[index + 1]!,
        split: evaluator?.splits[index] ?? null,
      }),
    ),
  ];
  return {
    title: sources.title,
    cards: await Promise.all(cards),
    contents: { kind: 'full', elementCount: plan.layout.elementCount },
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
