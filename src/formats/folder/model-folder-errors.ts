/** What is told where a folder's files could be several models, or are no whole one. */
import { PeruError } from '@/core/errors';
import { listFew } from '@/core/list-names';
import { joinPath } from '@/formats/checkpoint/checkpoint-source';
import { type Alternatives, type FoundModel, type FoundModels } from './model-folders';

/** Several models of one folder, of which only one can be meant. */
export function alternativesFound({ kind, folder, models }: Alternatives): PeruError {
  const where = folder === '' ? 'The files added' : folder;
  const paths = models.map((model) => pathInside(model, folder)).sort(byNumbers);
  const listed = listFew(paths);
  if (kind === 'pipeline') {
    return new PeruError(
      'source',
      `${where} is a pipeline of several models: ${listed}. Peru merges one model at a time.`,
      `Add one of its folders, such as ${joinPath(folder, paths.at(-1)!)}, and the same one of each of the other pipelines.`,
    );
  }
  return new PeruError(
    'source',
    `${where} holds steps of one training and no model at its end: ${listed}.`,
    `Add the folder of the step that you mean (the last is ${joinPath(folder, paths.at(-1)!)}); to merge the steps with one another, add each of their folders by itself.`,
  );
}

/** Shards without an index that are not all there, or of several saves. */
export function looseShards({ folder, present, missing }: FoundModels['loose'][number]): PeruError {
  const where = folder === '' ? 'among the files added' : `in ${folder}`;
  if (missing.length > 0) {
    return new PeruError(
      'source',
      `A checkpoint ${where} is not whole: of its shards, ${listFew(missing)} ${missing.length === 1 ? 'is' : 'are'} missing.`,
      'Add all shards of one save, with the model.safetensors.index.json that lies beside them; download those that are missing again.',
    );
  }
  return new PeruError(
    'source',
    `Shards of several saves lie together ${where}, and no index tells which belong together: ${listFew(present)}.`,
    'Keep the shards of one save only, or add the model.safetensors.index.json that was saved with them.',
  );
}

function pathInside({ folder, weightsPath }: FoundModel, outer: string): string {
  if (folder === outer) return weightsPath;
  return outer === '' ? folder : folder.slice(outer.length + 1);
}

/** checkpoint-500 before checkpoint-1000. */
function byNumbers(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
