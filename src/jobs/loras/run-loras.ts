/** One job on LoRA files: what each becomes at the ranks chosen, or all of them as one. */
import { PeruError } from '@/core/errors';
import { type LoraOutput, type LoraSpectra, previewLoras } from '@/export/lora/lora-preview';
import { type JobContext } from '@/jobs/context/job-context';
import { listed } from '@/plan/findings/finding';
import { isOtherPart } from '@/plan/loras/lora-findings';
import { COMBINED, combinedKey, weightOf } from '@/recipe/lora-choices';
import { lowRankMethodId } from '@/recipe/method-id';
import { type Recipe, type StorageRow } from '@/recipe/recipe';
import { sumProducts } from './file-products';
import { type LoraGroup } from './lora-group';
import { overlapOf } from './overlap';

export interface LoraJob extends JobContext {
  readonly group: LoraGroup;
  readonly recipe: Recipe;
}

/**
 * Tells what the recipe keeps and costs.
 *
 * @throws PeruError `mismatch` for a sum of files of which nothing meets, `unsupported` where a
 *   spelling has no name for a module
 */
export async function runLoras(job: LoraJob): Promise<void> {
  const { group, recipe, emit } = job;
  if (recipe.lora.make === 'one') await addUp(job);
  const method = lowRankMethodId(recipe.rank);
  const outputs = outputsOf(group, recipe);
  for (const { name: task, ranks, energyShare, bytes } of outputs) {
    emit({ type: 'low-rank', facts: { method, task, ranks, energyShare, bytes } });
  }
  const rows = [
    sourceRow(group),
    rowOf(
      method,
      outputs.flatMap(({ files }) => files),
    ),
  ];
  emit({ type: 'storage', rows });
  const { liveBytes, peakBytes } = group.engine.memory();
  emit({ type: 'memory', liveBytes, peakBytes });
}

/** What a recipe makes, with its exact sizes; its sum must stand. */
export function outputsOf(group: LoraGroup, { rank, lora }: Recipe): readonly LoraOutput[] {
  const sum = group.sum === null ? [] : [group.sum.spectra];
  const outputs = previewLoras(group.contents, [...group.spectra, ...sum], { rank, lora });
  if (outputs === null) throw new Error('The sum of the files was used before it was made.');
  return outputs;
}

/** Factorises the sum by the recipe's weights, unless it stands already. */
export async function addUp({ group, recipe, emit, signal }: LoraJob): Promise<void> {
  const { contents, matched, engine, memory } = group;
  refuseSum(group);
  const names = contents.files.map(({ name }) => name);
  const key = combinedKey(recipe.lora, names);
  if (group.sum?.key !== key) {
    const weights = names.map((name) => weightOf(recipe.lora, name));
    group.sum?.products.dispose();
    group.sum = null;
    const products = sumProducts(engine, group, matched.modules, weights, memory);
    try {
      const total = matched.modules.length;
      const modules = await products.spectra(signal, (done) => {
        const progress = { stage: 'Adding up', done, total, unit: 'modules' as const };
        emit({ type: 'progress', progress });
      });
      group.sum = { key, products, spectra: { task: COMBINED, modules } };
    } catch (error) {
      products.dispose();
      throw error;
    }
  }
  const { products, spectra } = group.sum;
  const own = spectra as LoraSpectra & { readonly modules: readonly Float32Array[] };
  const all = group.spectra as readonly (typeof own)[];
  emit({ type: 'spectra', report: products.report, spectra: [...all, own] });
  group.overlap ??= await overlapOf(group, matched.modules, signal);
  emit({ type: 'overlap', overlap: group.overlap });
}

/** @throws PeruError `mismatch` for files of different models */
function refuseSum({ files, matched }: LoraGroup): void {
  const { modules, alone, clashes, doubles } = matched;
  const [clash] = clashes;
  if (clash !== undefined) {
    const [one, other] = clash.files.map((file) => files[file]!.name);
    throw differentModels(
      `"${clash.path}" is [${clash.shapes[0].join(', ')}] in ${one} and [${clash.shapes[1].join(', ')}] in ${other}`,
    );
  }
  const [double] = doubles;
  if (double !== undefined) {
    throw differentModels(
      `${files[double.file]!.name} has two modules that only one spelling tells apart, "${double.keys[0]}" and "${double.keys[1]}"`,
    );
  }
  if (alone.length > 0 && !isOtherPart(modules, alone)) {
    const names = listed(alone.map((file) => files[file]!.name));
    throw differentModels(`no module of ${names} is in another file`);
  }
}

function differentModels(why: string): PeruError {
  return new PeruError(
    'mismatch',
    `These LoRA files can not be added up: ${why}.`,
    'Make each smaller by itself, or leave out the files that were trained on another model.',
  );
}

function sourceRow({ contents }: LoraGroup): StorageRow {
  return rowOf(
    'finetuned',
    contents.files.map(({ path, byteLength }) => ({ name: path, bytes: byteLength })),
  );
}

function rowOf(method: string, files: StorageRow['files']): StorageRow {
  return { method, files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}
