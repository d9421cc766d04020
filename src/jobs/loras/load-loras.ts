/** Loads LoRA files: reads their scales and factors, and factorises every module of every file. */
import { type LoraSpectra } from '@/export/lora/lora-preview';
import { type LoraFile } from '@/formats/lora-file/lora-file';
import { readScales } from '@/formats/lora-file/read-modules';
import { checkpointCard } from '@/jobs/group/checkpoint-card';
import { type OpeningParts } from '@/jobs/group/opened-group';
import { groupRecord } from '@/jobs/group/recipe-record';
import { type LoraSources } from '@/jobs/group/sources';
import { type LoraContents } from '@/export/lora/lora-contents';
import { type MatchedFiles } from '@/plan/loras/match-files';
import { type GroupFacts } from '@/protocol/group-facts';
import { fileProducts, firstProduct, type ScaledFiles } from './file-products';
import { loraContents } from './lora-contents';
import { fileSize } from './lora-facts';
import { type LoraGroup } from './lora-group';
import { type LoraMemory } from './lora-memory';

export interface PlannedLoras {
  readonly files: readonly LoraFile[];
  readonly matched: MatchedFiles;
  readonly memory: LoraMemory;
  readonly licences: readonly (string | null)[];
}

/** @throws PeruError for files that can not be read, alphas that are no scale, NaN or Inf unless allowed */
export async function loadLoras(
  sources: LoraSources,
  { files, matched, memory, licences }: PlannedLoras,
  { request, chosen, context, allowNonFinite }: OpeningParts,
): Promise<LoraGroup> {
  const { engine } = chosen;
  const { emit, signal } = context;
  const scales: number[][] = [];
  for (const file of files) scales.push(await readScales(file, signal));
  const scaled = { files, scales };
  const contents = loraContents(scaled, matched);
  const products = fileProducts(engine, scaled, memory, allowNonFinite);
  try {
    emit({ type: 'group', group: await factsOf(sources, files, contents) });
    const total = files.reduce((sum, { modules }) => sum + modules.length, 0);
    const all = await products.spectra(signal, (done) => {
      const progress = { stage: 'Factorising LoRA files', done, total, unit: 'modules' as const };
      emit({ type: 'progress', progress });
    });
    const spectra = byFile(scaled, contents, all);
    emit({ type: 'spectra', report: products.report, spectra });
    const origin = { title: sources.title, group: groupRecord(request), allowNonFinite, licences };
    const group: LoraGroup = {
      ...{ kind: 'loras', engine, sources, origin, files, scales, matched },
      ...{ contents, memory, products, spectra, sum: null, overlap: null },
      dispose: () => {
        group.sum?.products.dispose();
        products.dispose();
      },
    };
    return group;
  } catch (error) {
    products.dispose();
    throw error;
  }
}

const NONE = new Float32Array();

function byFile(
  { files }: ScaledFiles,
  contents: LoraContents,
  all: readonly Float32Array[],
): (LoraSpectra & { readonly modules: readonly Float32Array[] })[] {
  return contents.files.map(({ name, places }, file) => {
    const first = firstProduct(files, file);
    return {
      task: name,
      modules: places.map((place) => (place < 0 ? NONE : all[first + place]!)),
    };
  });
}

async function factsOf(
  { title, files: sources }: LoraSources,
  files: readonly LoraFile[],
  contents: LoraContents,
): Promise<GroupFacts> {
  const cards = files.map((file, i) => {
    const { repo, name } = sources[i]!;
    const size = fileSize(file);
    return checkpointCard({ ...size, role: 'task', name, title: name, repo, split: null });
  });
  return {
    title,
    cards: await Promise.all(cards),
    contents,
    noAccuracyBecause: 'LoRA files by themselves have no model to score',
    lambda: null,
  };
}
