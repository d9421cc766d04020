/** Opens a group of LoRA adapters: headers, and what they say of the merge to come. */
import { loadPart } from '@/core/load-part';
import { type LoadedGroup } from '@/jobs/group/loaded-group';
import { adapterFindings } from '@/plan/findings/adapter-findings';
import { byLevel } from '@/plan/findings/finding';
import { memoryFindings } from '@/plan/findings/memory';
import { startsByItself } from '@/plan/starts-by-itself';
import { adapterTally } from '@/plan/tensor-tally';
import { checkpointFacts } from '@/plan/checkpoint-facts';
import { type ModelFacts } from '@/plan/model-facts';
import { planAdapters } from '@/plan/adapters/plan-adapters';
import { type PlanChoices, type Preflight } from '@/plan/preflight';
import { openWeights } from '@/formats/checkpoint/checkpoint-source';
import { type AdapterPlan } from '@/formats/lora/adapter-plan';
import { type CheckpointTensors, type StoredTensor } from '@/tensor/checkpoint-tensors';
import { fetchTally } from '@/jobs/group/fetch-tally';
import { type AdapterSources } from '@/jobs/group/sources';
import { planLanes, withEvaluation } from '@/jobs/group/evaluation-memory';
import { memoryReport } from '@/jobs/group/memory-report';
import { readModelFacts } from '@/jobs/group/model-facts';
import { type OpenedGroup, type OpeningParts } from '@/jobs/group/opened-group';
import { preflightCheckpoint } from '@/jobs/group/preflight-checkpoint';
import { budgetOf } from '@/jobs/group/suggest-budget';
import { type AdapterGroup } from './adapter-group';
import { adapterMemory } from './adapter-memory';
import { runAdapters } from './run-adapters';
import { loadAdapterGroup, type PlannedAdapters } from './load-adapters';

/** @throws PeruError for files that are missing or broken, and adapters that do not fit the base */
export async function openAdapterGroup(
  sources: AdapterSources,
  parts: OpeningParts,
): Promise<OpenedGroup<AdapterGroup>> {
  const { options, context, chosen } = parts;
  const repos = [sources.base, ...sources.tasks.map(({ model }) => model)];
  const [base, adapters, models] = await Promise.all([
    openWeights(sources.base, options),
    Promise.all(sources.tasks.map(({ model }) => model.format.open(model, options))),
    Promise.all(repos.map((one) => readModelFacts(one, options))),
  ]);
  const licences = models.map(({ licence }) => licence);
  const plan = planAdapters({ base, adapters, baseConfig: models[0]!.config });
  const planned = { base, adapters, licences, plan };
  let spareBytes = 0;
  let laneCount = 1;
  return {
    engine: chosen.engine,
    handTo: (job) => {
      context.handTo(job);
    },
    plan: async (choices) => {
      const made = await preflightOf(sources, planned, models, parts, choices);
      const { budgetBytes, peakBytes } = made.preflight.memory;
      spareBytes = Math.max(0, budgetBytes - peakBytes);
      laneCount = made.laneCount;
      return made.preflight;
    },
    load: async () =>
      jobsOf(await loadAdapterGroup(sources, { ...planned, laneCount }, parts, spareBytes)),
    dispose: () => {
      chosen.engine.dispose();
    },
  };
}

function jobsOf(group: AdapterGroup): LoadedGroup<AdapterGroup> {
  return {
    group,
    run: (recipe, context) => runAdapters({ group, recipe, ...context }),
    export: async (request, context, place) => {
      const { exportAdapters } = await loadPart(() => import('./export-adapters'));
      return exportAdapters({ group, recipe: request.recipe, ...context }, request, place);
    },
  };
}

async function preflightOf(
  sources: AdapterSources,
  { base, adapters, plan }: Omit<PlannedAdapters, 'laneCount'>,
  models: readonly ModelFacts[],
  parts: OpeningParts,
  choices: PlanChoices,
): Promise<{ readonly preflight: Preflight; readonly laneCount: number }> {
  const { platform } = parts.options;
  const isScored = sources.tasks.some(({ scoredOn }) => scoredOn !== null);
  const bytes = await fetchTally(neededTensors(base, plan, isScored));
  const { engine } = parts.chosen;
  const budget = budgetOf(engine, choices, platform);
  const held = adapterMemory(base, plan, isScored);
  const room = isScored ? budget.bytes - held.peakBytes : 0;
  const lanes = planLanes(platform.lanes, engine, elementCountOf(base), room);
  const memory = await memoryReport(withEvaluation(held, lanes), budget, bytes, platform);
  const trainedOn = adapters.map(({ metadata }) => metadata.baseModel);
  const baseId = sources.base.folder || sources.base.name;
  const findings = byLevel([
    ...(sources.findings ?? []),
    ...adapterFindings({ plan, models, trainedOn, baseId }),
    ...memoryFindings(memory),
  ]);
  const cardParts = [
    { repo: sources.base, task: null, byteLength: base.byteLength, facts: checkpointFacts(base) },
    ...sources.tasks.map((task, t) => {
      const { byteLength } = plan.adapters[t]!;
      return { repo: task.model, task, byteLength, facts: checkpointFacts(adapters[t]!.weights) };
    }),
  ];
  const preflight: Preflight = {
    title: sources.title,
    kind: 'adapters',
    checkpoints: cardParts.map((card, i) =>
      preflightCheckpoint({ ...card, licence: models[i]!.licence }),
    ),
    findings,
    tensors: adapterTally(plan, base),
    bytes,
    memory,
    startsByItself: parts.request.kind === 'demo' || startsByItself({ findings, bytes, memory }),
  };
  return { preflight, laneCount: lanes.count };
}

function elementCountOf({ tensors }: CheckpointTensors): number {
  return [...tensors.values()].reduce((sum, { elementCount }) => sum + elementCount, 0);
}

/** Factors and copies; of the base what the evaluator takes, and what a merge of copies starts from. */
function neededTensors(
  base: CheckpointTensors,
  plan: AdapterPlan,
  isScored: boolean,
): StoredTensor[] {
  const own = plan.adapters.flatMap(({ modules, copies }) => [
    ...modules.flatMap(({ left, right }) => [left.tensor, right.tensor]),
    ...copies.values(),
  ]);
  const ofBase = isScored ? [...base.tensors.values()] : [];
  return [...own, ...ofBase];
}
