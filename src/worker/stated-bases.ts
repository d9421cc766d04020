/** Which models a checkpoint says it was trained from. */
import { type OpenOptions, type RepoSource } from '@/sources/checkpoint-source';
import { JSON_CAPS, readJsonObject } from '@/sources/json-file';
import { readBaseModels } from '@/sources/model-card';
import { PeruError } from '@/tensor/errors';

/** By `_name_or_path` of its config.json and `base_model` of its card: names, paths, ids of the Hub. */
export async function statedBases(
  repo: RepoSource,
  options: OpenOptions,
): Promise<readonly string[]> {
  const [config, card] = await Promise.all([
    nameOrPath(repo, options),
    repo.open('README.md', options).then(readBaseModels),
  ]);
  return config === null ? card : [config, ...card];
}

async function nameOrPath(repo: RepoSource, options: OpenOptions): Promise<string | null> {
  const blob = await repo.open('config.json', options);
  if (blob === null) return null;
  try {
    const config = await readJsonObject(blob, `${repo.name}/config.json`, JSON_CAPS.config);
    const name = config['_name_or_path'];
    return typeof name === 'string' && name !== '' ? name : null;
  } catch (error) {
    // A broken configuration states nothing; whoever needs it will say so.
    if (error instanceof PeruError && error.kind === 'parse') return null;
    throw error;
  }
}
