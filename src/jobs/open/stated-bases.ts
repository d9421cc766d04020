/** Which models a checkpoint says it was trained from. */
import {
  type OpenOptions,
  readConfig,
  type RepoSource,
} from '@/formats/checkpoint/checkpoint-source';
import { readBaseModels } from '@/formats/checkpoint/model-card';

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
  // A broken configuration states nothing; whoever needs it will say so.
  const name = (await readConfig(repo, options))?.['_name_or_path'];
  return typeof name === 'string' && name !== '' ? name : null;
}
