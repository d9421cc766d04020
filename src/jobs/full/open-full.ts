/** Opens a group of full fine-tunes: headers, and what they say of the merge to come. */
import { loadPart } from '@/core/load-part';
import { type LoadedGroup } from '@/jobs/group/loaded-group';
import { byLevel } from '@/plan/findings/finding';
import { groupFindings } from '@/plan/findings/group-findings';
import { memoryFindings } from '@/plan/findings/memory';
import { inBaseNames } from '@/plan/in-base-names';
import { startsByItself } from '@/plan/starts-by-itself';
import { tensorTally } from '@/plan/tensor-tally';
import { type ModelFacts } from '@/plan/model-facts';
import { type GroupPlan, planGroup } from '@/plan/plan-group';
import { type PlanChoices, type Preflight } from '@/plan/preflight';
import { openWeights } from '@/formats/checkpoint/checkpoint-source';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { type FloatDtype } from '@/tensor/dtype';
import { type FullSources } from '@/jobs/group/sources';
import { budgetOf } from '@/jobs/group/suggest-budget';
import { modelsOnGpu, planLanes, withEvaluation } from '@/jobs/group/evaluation-memory';
import { memoryReport } from '@/jobs/group/memory-report';
import { readModelFacts } from '@/jobs/group/model-facts';
import { type OpenedGroup, type OpeningParts } from '@/jobs/group/opened-group';
import { preflightCheckpoint } from '@/jobs/group/preflight-checkpoint';
import { fetchTally } from '@/jobs/group/fetch-tally';
import { type FullGroup, loadFullGroup } from './load-full';
import { type Checkpoints, type PlannedFull } from './planned-full';
import { runFull } from './run-full';
import { planChunksFor } from './plan-chunks';

/** @throws PeruError for files that are missing or broken */
export async function openFullGroup(
  sources: FullSources,
  parts: OpeningParts,
): Promise<OpenedGroup<FullGroup>> {
  const { options, context, chosen } = parts;
  const repos = [sources.base, ...sources.tasks.map(({ model }) => model)];
  const [stored, models] = await Promise.all([
    Promise.all(repos.map((one) => openWeights(one, options))),
    Promise.all(repos.map((one) => readModelFacts(one, options))),
  ]);
  const headers = { sources, stored, models };
  let planned: PlannedFull | null = null;
  return {
    engine: chosen.engine,
    handTo: (job) => {
      context.handTo(job);
    },
    plan: async (choices) => {
      planned = null;
      planned = await planFull(headers, parts, choices);
      return planned.preflight;
    },
    load: async () => {
      if (planned === null) throw new Error('A group was loaded that has no plan.');
      return jobsOf(await loadFullGroup(sources, planned, parts));
    },
    dispose: () => {
      chosen.engine.dispose();
    },
  };
}

function jobsOf(group: FullGroup): LoadedGroup<FullGroup> {
  return {
    group,
    run: (recipe, context, goal) => runFull({ group, recipe, ...context }, goal),
    export: async (request, context, place) => {
      const { exportFull } = await loadPart(() => import('./export-full'));
      return exportFull({ group, recipe: request.recipe, ...context }, request, place);
    },
  };
}

interface Headers {
  readonly sources: FullSources;
  /** The base's, then the tasks', under the names of their files. */
  readonly stored: readonly CheckpointTensors[];
  readonly models: readonly ModelFacts[];
}

async function planFull(
  { sources, stored, models }: Headers,
  parts: OpeningParts,
  choices: PlanChoices,
): Promise<PlannedFull> {
  const [base, ...tasks] = stored;
  if (base === undefined) throw new Error('A group without a base was opened.');
  const configs = models.map(({ config }) => config);
  const plan = planGroup({ base, tasks, patterns: choices, configs });
  const checkpoints: Checkpoints = [
    base,
    ...tasks.map((task, t) => inBaseNames(task, plan.storedNames[t + 1]!)),
  ];
  const mergedDtype = dominantDtype(plan);
  const spec = { layout: plan.layout, dtypeOf: plan.dtypeOf, checkpoints };
  const { engine } = parts.chosen;
  const { platform } = parts.options;
  const budget = budgetOf(engine, choices, platform);
  const scored = sources.tasks.some(({ scoredOn }) => scoredOn !== null);
  const { elementCount } = plan.layout;
  const beside = modelsOnGpu(engine, elementCount, scored);
  const weightsBudgetBytes = budget.bytes - beside.bytes;
  const { chunks, memory } = planChunksFor(engine, spec, mergedDtype, weightsBudgetBytes);
  const room = scored ? weightsBudgetBytes - memory.peakBytes : 0;
  const lanes = planLanes(platform.lanes, engine, elementCount, room);
  const wanted = checkpoints.map((checkpoint, index) => {
    // A base that is scored gives the evaluator what no task changes, too.
    const names = plan.layout.tensors.map(({ name }) => name);
    const all = index === 0 && scored ? [...names, ...plan.untouched] : names;
    return all.flatMap((name) => checkpoint.tensors.get(name) ?? []);
  });
  const bytes = await fetchTally(wanted.flat());
  const whole = withEvaluation(withEvaluation(memory, beside), lanes);
  const report = await memoryReport(whole, budget, bytes, platform);
  const findings = byLevel([
    ...(sources.findings ?? []),
    ...groupFindings({ plan, models }),
    ...memoryFindings(report),
  ]);
  const facts = [sources.base, ...sources.tasks.map(({ model }) => model)];
  const preflight: Preflight = {
    title: sources.title,
    kind: 'full',
    checkpoints: facts.map((repo, index) =>
      preflightCheckpoint({
        repo,
        task: sources.tasks[index - 1] ?? null,
        byteLength: stored[index]!.byteLength,
        facts: plan.checkpoints[index]!,
        licence: models[index]!.licence,
      }),
    ),
    findings,
    tensors: tensorTally(plan),
    bytes,
    memory: report,
    startsByItself:
      parts.request.kind === 'demo' || startsByItself({ findings, bytes, memory: report }),
  };
  const { include, exclude } = choices;
  const patterns = { include, exclude };
  return {
    plan,
    patterns,
    checkpoints,
    stored,
    chunks,
    mergedDtype,
    weightsBudgetBytes,
    laneCount: lanes.count,
    preflight,
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
