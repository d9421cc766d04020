/** Opens LoRA files without a base: headers, and what they say of shrinking and adding up. */
import { loadPart } from '@/core/load-part';
import { openLoraFile } from '@/formats/lora-file/open-lora-file';
import { readLicence } from '@/formats/checkpoint/model-card';
import { fetchTally } from '@/jobs/group/fetch-tally';
import { type LoadedGroup } from '@/jobs/group/loaded-group';
import { memoryReport } from '@/jobs/group/memory-report';
import { type OpenedGroup, type OpeningParts } from '@/jobs/group/opened-group';
import { preflightCheckpoint } from '@/jobs/group/preflight-checkpoint';
import { refuseOverBudget } from '@/jobs/group/refuse-over-budget';
import { type LoraSources } from '@/jobs/group/sources';
import { budgetOf } from '@/jobs/group/suggest-budget';
import { byLevel } from '@/plan/findings/finding';
import { memoryFindings } from '@/plan/findings/memory';
import { loraFindings } from '@/plan/loras/lora-findings';
import { matchFiles } from '@/plan/loras/match-files';
import { type MemoryReport, type PlanChoices, type Preflight } from '@/plan/preflight';
import { startsByItself } from '@/plan/starts-by-itself';
import { loadLoras, type PlannedLoras } from './load-loras';
import { fileSize, tensorsOf } from './lora-facts';
import { type LoraGroup } from './lora-group';
import { loraMemory } from './lora-memory';
import { runLoras } from './run-loras';

/** @throws PeruError for files that are missing, broken, or no plain LoRA */
export async function openLoraGroup(
  sources: LoraSources,
  parts: OpeningParts,
): Promise<OpenedGroup<LoraGroup>> {
  const { options, context, chosen } = parts;
  const files = await Promise.all(sources.files.map((one) => openLoraFile(one, one.name, options)));
  const licences = await Promise.all(
    sources.files.map(async ({ repo }) => readLicence(await repo.open('README.md', options))),
  );
  const matched = matchFiles(files);
  let memory = loraMemory(files, matched.modules, 0);
  let report: MemoryReport | null = null;
  return {
    engine: chosen.engine,
    handTo: (job) => {
      context.handTo(job);
    },
    plan: async (choices) => {
      const budget = budgetOf(chosen.engine, choices, options.platform);
      memory = loraMemory(files, matched.modules, budget.bytes);
      const planned = { files, matched, memory, licences };
      const preflight = await preflightOf(sources, planned, parts, choices);
      report = preflight.memory;
      return preflight;
    },
    load: async () => {
      if (report !== null) refuseOverBudget(report);
      const planned = { files, matched, memory, licences };
      return jobsOf(await loadLoras(sources, planned, parts));
    },
    dispose: () => {
      chosen.engine.dispose();
    },
  };
}

function jobsOf(group: LoraGroup): LoadedGroup<LoraGroup> {
  return {
    group,
    run: (recipe, context) => runLoras({ group, recipe, ...context }),
    export: async (request, context, place) => {
      const { exportLoras } = await loadPart(() => import('./export-loras'));
      return exportLoras({ group, recipe: request.recipe, ...context }, request, place);
    },
  };
}

async function preflightOf(
  { title, files: sources, findings: told = [] }: LoraSources,
  { files, matched, memory, licences }: PlannedLoras,
  { request, options, chosen }: OpeningParts,
  choices: PlanChoices,
): Promise<Preflight> {
  const bytes = await fetchTally(files.flatMap(tensorsOf));
  const budget = budgetOf(chosen.engine, choices, options.platform);
  const report = await memoryReport(memory.plan, budget, bytes, options.platform);
  const findings = byLevel([...told, ...loraFindings(files, matched), ...memoryFindings(report)]);
  return {
    title,
    kind: 'loras',
    checkpoints: files.map((file, i) => {
      const { repo, name } = sources[i]!;
      const licence = licences[i]!;
      return preflightCheckpoint({ ...fileSize(file), repo, task: { name, title: name }, licence });
    }),
    findings,
    tensors: {
      mergedTensors: matched.modules.length,
      mergedElements: matched.modules.reduce((sum, one) => sum + one.rows * one.columns, 0),
      untouchedTensors: 0,
      ownTensors: files.reduce((most, { carried }) => Math.max(most, carried.length), 0),
    },
    bytes,
    memory: report,
    startsByItself: request.kind === 'demo' || startsByItself({ findings, bytes, memory: report }),
  };
}
