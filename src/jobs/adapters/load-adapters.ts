/** Loads planned adapters: factors on the engine, the base only where something is scored. */
import { checkpointFacts } from '@/plan/checkpoint-facts';
import { adapterPaths } from '@/formats/lora/lora-adapter';
import { type AdapterPlan } from '@/formats/lora/adapter-plan';
import { type LoraAdapter } from '@/formats/lora/lora-adapter';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { type Engine, type ModelWeights } from '@/tensor/engine';
import { besideScoring } from '@/jobs/group/beside-scoring';
import { groupFacts, openTasks } from '@/jobs/group/group-facts';
import { type GroupOrigin, groupRecord } from '@/jobs/group/recipe-record';
import { SourceManifest } from '@/jobs/group/source-manifest';
import { type AdapterSources } from '@/jobs/group/sources';
import { engineEvent } from '@/jobs/context/engine-event';
import { type OpeningParts } from '@/jobs/group/opened-group';
import { type GroupFacts } from '@/protocol/group-facts';
import { type StorageRow } from '@/recipe/recipe';
import { type Scoring } from '@/jobs/scoring/group-scorer';
import { ScoreCache } from '@/jobs/scoring/score-cache';
import { type AdapterGroup } from './adapter-group';
import { adapterContents, baseModelOf } from './contents';
import { checkCopies, checkTiedCopies } from './copied-tensors';
import { floatWeights } from '@/jobs/group/float-weights';
import { MergedAdapters } from './merged-adapters';
import { loadProducts } from './task-products';

/** Adapters that fit their base. */
export interface PlannedAdapters {
  readonly base: CheckpointTensors;
  readonly adapters: readonly LoraAdapter[];
  readonly plan: AdapterPlan;
  /** Of the base, then of the adapters. */
  readonly licences: readonly (string | null)[];
  /** Threads that score. */
  readonly laneCount: number;
}

/**
 * @param spareBytes what the budget leaves beside all that is planned
 * @throws PeruError for files that can not be read, NaN or Inf unless allowed, too little memory
 */
export async function loadAdapterGroup(
  sources: AdapterSources,
  planned: PlannedAdapters,
  parts: OpeningParts,
  spareBytes: number,
): Promise<AdapterGroup> {
  const { base, adapters, plan } = planned;
  const { chosen, context, allowNonFinite } = parts;
  const { emit, signal } = context;
  const { engine } = chosen;
  const upload = { allowNonFinite, emit, signal };
  const load = async (scoringReady: Promise<Scoring>): Promise<AdapterGroup> => {
    const products = await loadProducts(engine, plan, upload);
    let baseWeights: ModelWeights | null = null;
    try {
      await checkTiedCopies(plan.adapters, signal);
      await checkCopies(engine, plan.adapters, upload);
      const scoring = await scoringReady;
      const location = scoring.scorer?.location;
      if (location !== undefined) baseWeights = await floatWeights(engine, base, location, upload);
      signal.throwIfAborted();
      emit(engineEvent(chosen, scoring.description));
      const ownFiles = await Promise.all(sources.tasks.map((task) => adapterFiles(task)));
      const origin = await originOf(sources, planned, parts);
      const loaded = { sources, origin, base, adapters, plan, products, baseWeights, ownFiles };
      const group = groupOf({ ...loaded, engine, scoring, spareBytes });
      emit({ type: 'group', group: await factsOf(group, adapters, scoring.noAccuracyBecause) });
      return group;
    } catch (error) {
      products.lowRank.dispose();
      baseWeights?.dispose();
      throw error;
    }
  };
  const changed = new Set([...plan.adaptedWeights, ...plan.replacedTensors]);
  return besideScoring(sources, parts, { changed, laneCount: planned.laneCount }, load);
}

async function originOf(
  sources: AdapterSources,
  { base, licences }: PlannedAdapters,
  { request, allowNonFinite }: OpeningParts,
): Promise<GroupOrigin> {
  return {
    title: sources.title,
    group: groupRecord(request),
    patterns: { include: [], exclude: [] },
    allowNonFinite,
    licences,
    book: await SourceManifest.ofAdapters(sources, base),
  };
}

interface Parts extends Pick<
  AdapterGroup,
  'sources' | 'origin' | 'base' | 'plan' | 'products' | 'baseWeights' | 'ownFiles'
> {
  readonly adapters: readonly LoraAdapter[];
  readonly engine: Engine;
  readonly scoring: Scoring;
  readonly spareBytes: number;
}

function groupOf({ scoring: { scorer }, adapters, spareBytes, ...parts }: Parts): AdapterGroup {
  const { sources, base, plan, products, baseWeights } = parts;
  const taskNames = sources.tasks.map(({ name }) => name);
  const baseModel = baseModelOf(sources.base);
  const group: AdapterGroup = {
    ...parts,
    kind: 'adapters',
    contents: adapterContents({ taskNames, base, adapters, plan, products, baseModel }),
    tasks: openTasks(sources, scorer),
    scorer,
    scores: new ScoreCache(),
    merged: null,
    mergedLately: new MergedAdapters(spareBytes),
    dispose: () => {
      scorer?.dispose();
      group.mergedLately.dispose();
      products.lowRank.dispose();
      baseWeights?.dispose();
    },
  };
  return group;
}

/** An adapter folder's files as they lie at their source. */
async function adapterFiles({
  name,
  model,
}: AdapterSources['tasks'][number]): Promise<StorageRow['files']> {
  const files = await Promise.all(
    adapterPaths(model).map(async (path) => ({ path, blob: await model.open(path) })),
  );
  return files.map(({ path, blob }) => ({ name: `${name}/${path}`, bytes: blob?.size ?? 0 }));
}

function factsOf(
  group: AdapterGroup,
  adapters: readonly LoraAdapter[],
  noAccuracyBecause: string | null,
): Promise<GroupFacts> {
  const { sources, base, plan, scorer, contents } = group;
  const tasks = plan.adapters.map(({ byteLength }, i) => {
    return { byteLength, facts: checkpointFacts(adapters[i]!.weights) };
  });
  return groupFacts({
    sources,
    base: { byteLength: base.byteLength, facts: checkpointFacts(base) },
    tasks,
    scorer,
    contents,
    noAccuracyBecause,
  });
}
