/** Exports LoRA files: each at the recipe's ranks, or all of them as one. */
import { type LoraOutput, layOutLora } from '@/export/lora/lora-preview';
import { loraRecord } from '@/export/lora/lora-recipe-line';
import { type WriteLoraSpec, writeLora } from '@/export/lora/write-lora';
import { addLoraAbout } from '@/jobs/staging/lora-about';
import { readStored } from '@/jobs/staging/read-stored';
import { Staging, type StagingPlace, type WrittenExport } from '@/jobs/staging/staging';
import { SourceManifest } from '@/jobs/group/source-manifest';
import { type ExportRequest } from '@/protocol/requests';
import { type LoraRecipeFile } from '@/recipe/lora-recipe-file';
import { firstProduct } from './file-products';
import { scaledBias } from './scaled-bias';
import { addUp, type LoraJob, outputsOf } from './run-loras';

/**
 * Makes the recipe's files; the caller removes the folder when this fails.
 *
 * @throws PeruError for files that can not be read or written, or differ when read back; the
 *   signal's reason once aborted
 */
export async function exportLoras(
  job: LoraJob,
  request: ExportRequest,
  place: StagingPlace,
): Promise<WrittenExport> {
  const { group, recipe, emit, signal } = job;
  if (recipe.lora.make === 'one') await addUp(job);
  const outputs = outputsOf(group, recipe);
  const { allowNonFinite } = group.origin;
  const totalBytes = outputs.reduce((sum, { bytes }) => sum + bytes, 0);
  const staged = await Staging.begin(place, { emit, signal, allowNonFinite, totalBytes });
  for (const output of outputs) {
    const spec = specOf(job, output);
    await staged.add('adapter', (folder, options) => writeLora(folder, spec, options));
  }
  await addLoraAbout(staged, request, {
    recipe: await recipeFile(job, outputs),
    outputs,
    licences: group.origin.licences,
  });
  return { staged, index: [] };
}

function specOf({ group, recipe, signal }: LoraJob, output: LoraOutput): WriteLoraSpec {
  const { contents, files } = group;
  const { file, path } = output;
  const index = contents.files.indexOf(file);
  const laidOut = layOutLora(contents, output, recipe);
  const carried = new Map(
    files.map(({ name, carried: own }) => [
      name,
      new Map(own.map((tensor) => [tensor.name, tensor] as const)),
    ]),
  );
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const first = firstProduct(files, index);
  return {
    ...laidOut,
    path,
    configPath: laidOut.config === null ? null : folder + laidOut.config.name,
    factorsOf: ({ module, rank }) =>
      recipe.lora.make === 'one'
        ? group.sum!.products.balancedFactors(module, rank, signal)
        : group.products.balancedFactors(first + file.places[module]!, rank, signal),
    biasOf: ({ module, rows }) => {
      const bringers = recipe.lora.make === 'one' ? contents.files : [file];
      return scaledBias({ group, lora: recipe.lora, bringers, module, rows }, signal);
    },
    readCarried: (bringer, name, start, end) =>
      readStored(carried.get(bringer)?.get(name), start, end, signal),
  };
}

async function recipeFile(
  { group, recipe, emit, signal }: LoraJob,
  outputs: readonly LoraOutput[],
): Promise<LoraRecipeFile> {
  const { origin, sources, contents } = group;
  const manifest = await SourceManifest.ofLoras(sources, group.files);
  const tasks = await manifest.hashedTasks({ emit, signal });
  const isSum = recipe.lora.make === 'one';
  return {
    peru: 1,
    title: origin.title,
    group: origin.group,
    lora: loraRecord(contents, recipe),
    ...(isSum && { written: outputs[0]!.path }),
    files: tasks.map(({ task, ...record }, i) => {
      return { ...record, name: task, ...(!isSum && { written: outputs[i]!.path }) };
    }),
  };
}
