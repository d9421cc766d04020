/** Loads a planned group of full fine-tunes: weights on the engine, or ready to be streamed. */
import { type Checkpoints, type PlannedFull } from './planned-full';
import { type GroupPlan } from '@/plan/plan-group';
import { type MemoryReport } from '@/plan/preflight';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { type FloatDtype } from '@/tensor/dtype';
import { type Engine, type WeightGroup } from '@/tensor/engine';
import { besideScoring } from '@/jobs/group/beside-scoring';
import { groupFacts, openTasks } from '@/jobs/group/group-facts';
import { type GroupOrigin, groupRecord } from '@/jobs/group/recipe-record';
import { SourceManifest } from '@/jobs/group/source-manifest';
import { type FullSources } from '@/jobs/group/sources';
import { FetchedBytes } from '@/jobs/context/fetched-bytes';
import { engineEvent } from '@/jobs/context/engine-event';
import { type OpeningParts } from '@/jobs/group/opened-group';
import { type GroupFacts } from '@/protocol/group-facts';
import { refuseOverBudget } from '@/jobs/group/refuse-over-budget';
import { changedNames } from '@/jobs/scoring/changed-names';
import { type Scoring } from '@/jobs/scoring/group-scorer';
import { ScoreCache } from '@/jobs/scoring/score-cache';
import { type ScoredGroup } from '@/jobs/scoring/scored-group';
import {
  streamCheckpoints,
  type StreamProgress,
  uploadCheckpoints,
} from '@/jobs/group/load-weights';
import { checkTwice } from './check-twice';
import { MeasureCache } from './measure-cache';

export interface FullGroup extends ScoredGroup {
  readonly kind: 'full';
  readonly sources: FullSources;
  readonly origin: GroupOrigin;
  readonly checkpoints: Checkpoints;
  /** As `PlannedFull.stored`. */
  readonly stored: readonly CheckpointTensors[];
  readonly plan: GroupPlan;
  readonly memory: MemoryReport;
  readonly weights: WeightGroup;
  /** Of streamed weights; null where they are resident. */
  readonly progress: StreamProgress | null;
  readonly measures: MeasureCache;
  readonly mergedDtype: FloatDtype;
  /** `mergeKey` of the recipe theta* stands for now, or null. */
  mergedKey: string | null;
}

/** @throws PeruError for files that can not be read, NaN or Inf unless allowed, too little memory */
export async function loadFullGroup(
  sources: FullSources,
  planned: PlannedFull,
  parts: OpeningParts,
): Promise<FullGroup> {
  refuseOverBudget(planned.preflight.memory);
  const { chosen, context } = parts;
  const { emit, signal } = context;
  const testBytes = new FetchedBytes();
  const load = async (scoringReady: Promise<Scoring>): Promise<FullGroup> => {
    const loaded = await loadWeights(planned, parts);
    try {
      testBytes.onArrival = () => {
        const { loaded: done, asked: total } = testBytes;
        const progress = { stage: 'Fetching test sets', done, total, unit: 'bytes' as const };
        emit({ type: 'progress', progress });
      };
      const scoring = await scoringReady;
      signal.throwIfAborted();
      emit(engineEvent(chosen, scoring.description));
      const origin = await originOf(sources, planned, parts);
      const group = groupOf(sources, planned, {
        engine: chosen.engine,
        ...loaded,
        scoring,
        origin,
      });
      emit({ type: 'group', group: await factsOf(group, scoring.noAccuracyBecause) });
      return group;
    } catch (error) {
      loaded.weights.dispose();
      throw error;
    }
  };
  const scored = { changed: changedNames(planned), laneCount: planned.laneCount };
  return besideScoring(sources, parts, scored, load, testBytes.add);
}

async function loadWeights(planned: PlannedFull, parts: OpeningParts): Promise<LoadedWeights> {
  const { chunks, checkpoints, plan, preflight, weightsBudgetBytes } = planned;
  const { context, fetched, allowNonFinite } = parts;
  const { engine } = parts.chosen;
  await checkTwice(planned, context.signal);
  const spec = { ...plan, checkpoints };
  if (preflight.memory.mode === 'streamed') {
    return streamCheckpoints(engine, spec, chunks, weightsBudgetBytes, context, { allowNonFinite });
  }
  const { emit, signal } = context;
  const upload = { allowNonFinite, emit, signal, fetched, job: context };
  return { weights: await uploadCheckpoints(engine, spec, upload, chunks), progress: null };
}

interface LoadedWeights {
  readonly weights: WeightGroup;
  /** Null where they are resident. */
  readonly progress: StreamProgress | null;
}

async function originOf(
  sources: FullSources,
  { patterns, stored, preflight }: PlannedFull,
  { request, allowNonFinite }: OpeningParts,
): Promise<GroupOrigin> {
  return {
    title: sources.title,
    group: groupRecord(request),
    patterns,
    allowNonFinite,
    licences: preflight.checkpoints.map(({ licence }) => licence),
    book: await SourceManifest.ofCheckpoints(sources, stored),
  };
}

interface Loaded extends LoadedWeights {
  readonly engine: Engine;
  readonly scoring: Scoring;
  readonly origin: GroupOrigin;
}

function groupOf(
  sources: FullSources,
  { plan, checkpoints, stored, mergedDtype, preflight }: PlannedFull,
  { engine, weights, progress, origin, scoring: { scorer } }: Loaded,
): FullGroup {
  return {
    kind: 'full',
    engine,
    sources,
    origin,
    checkpoints,
    stored,
    plan,
    memory: preflight.memory,
    weights,
    progress,
    tasks: openTasks(sources, scorer),
    scorer,
    scores: new ScoreCache(),
    measures: new MeasureCache(),
    mergedDtype,
    mergedKey: null,
    dispose: () => {
      scorer?.dispose();
      weights.dispose();
    },
  };
}

function factsOf(group: FullGroup, noAccuracyBecause: string | null): Promise<GroupFacts> {
  const { sources, plan, checkpoints, scorer } = group;
  const [base, ...tasks] = checkpoints.map(({ byteLength }, i) => {
    return { byteLength, facts: plan.checkpoints[i]! };
  });
  return groupFacts({
    sources,
    base: base!,
    tasks,
    scorer,
    contents: { kind: 'full', elementCount: plan.layout.elementCount },
    noAccuracyBecause,
  });
}
