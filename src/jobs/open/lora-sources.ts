/** LoRA files among what was added: a group by themselves, whose base nobody needs. */
import { COMBINED } from '@/recipe/lora-choices';
import { fileStems } from '@/export/file-stems';
import {
  type CheckpointSource,
  CONFIG_FILE,
  fileLabel,
  type OpenOptions,
  openRequired,
  openWeights,
} from '@/formats/checkpoint/checkpoint-source';
import { PeruError } from '@/core/errors';
import { isLoraFile, type LoraFileSource } from '@/formats/lora-file/open-lora-file';
import { type LoraSources } from '@/jobs/group/sources';
import { finding, listed } from '@/plan/findings/finding';
import { type Finding } from '@/plan/preflight';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { type Found } from './assemble-group';

/**
 * Null where what was found is models, or adapters with their base. Only headers of files without a
 * model's configuration are read.
 *
 * @throws PeruError `mismatch` for LoRA files among several full models, and whatever opening the
 *   only one throws
 */
export async function loraSources(
  { checkpoints, adapters }: Found,
  options: OpenOptions,
): Promise<LoraSources | null> {
  const areLoras = await Promise.all(checkpoints.map((one) => holdsFactors(one, options)));
  const loose = checkpoints.filter((_, i) => areLoras[i]);
  const models = checkpoints.filter((_, i) => !areLoras[i]);
  if (loose.length === 0 && (adapters.length === 0 || models.length > 0)) return null;
  if (models.length > 1) throw amongModels(loose, models);
  // A file of another kind of adapter is told by what it is.
  for (const model of models) await openWeights(model, options);
  const all: readonly LoraFileSource[] = [
    ...loose.map((repo) => ({ repo, weightsPath: repo.weightsPath })),
    ...adapters.map((repo) => ({ repo, weightsPath: repo.format.files.weights })),
  ];
  const [, ...names] = fileStems([COMBINED, ...all.map(({ repo }) => repo.name)]);
  const files = all.map((one, i) => ({ ...one, name: names[i]! }));
  return {
    kind: 'loras',
    title: files.length === 1 ? files[0]!.name : `${files.length} LoRA files`,
    files,
    findings: models.map(setAside),
  };
}

async function holdsFactors(source: CheckpointSource, options: OpenOptions): Promise<boolean> {
  const { weightsPath, shards, openTensors, paths } = source;
  const isModel = shards !== undefined || openTensors !== undefined || paths?.includes(CONFIG_FILE);
  if (isModel === true || !weightsPath.endsWith('.safetensors')) return false;
  const blob = await openRequired(source, weightsPath, options);
  return isLoraFile(await readSafetensorsHeader(blob, fileLabel(source, weightsPath)));
}

function setAside({ name }: CheckpointSource): Finding {
  return finding({
    level: 'note',
    topic: 'sources',
    title: `${name} is a full model and is left aside.`,
    detail:
      'Making LoRA files smaller, and adding them up, needs no base. To score them on it, convert them to PEFT’s names.',
  });
}

function amongModels(
  loras: readonly CheckpointSource[],
  models: readonly CheckpointSource[],
): PeruError {
  const named = (all: readonly CheckpointSource[]): string => listed(all.map(({ name }) => name));
  return new PeruError(
    'mismatch',
    `${named(loras)} ${loras.length === 1 ? 'holds' : 'hold'} LoRA factors, ${named(models)} full models: they can not be merged with each other.`,
    'Remove the ones or the others: LoRA files open by themselves, full models with their base.',
  );
}
