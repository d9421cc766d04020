/** Small files of a checkpoint that tell whether it fits the others. */
import { type ModelFacts } from '@/plan/model-facts';
import {
  type OpenOptions,
  type RepoSource,
  tryConfig,
} from '@/formats/checkpoint/checkpoint-source';
import { type HubFile } from '@/hub/hub-api';
import { JSON_CAPS } from '@/formats/checkpoint/json-file';
import { readLicence } from '@/formats/checkpoint/model-card';
import { sha256Hex } from '@/core/sha256';

const TOKENIZER = 'tokenizer.json';

/**
 * Reads config, licence and what names the tokenizer. What a repo lacks, or has broken, is null:
 * merging needs none of it.
 */
export async function readModelFacts(repo: RepoSource, options: OpenOptions): Promise<ModelFacts> {
  const [{ config, broken }, tokenizerHash, licence] = await Promise.all([
    tryConfig(repo, options),
    hashOf(repo, TOKENIZER, options),
    repo.open('README.md', options).then(readLicence),
  ]);
  return { name: repo.name, config, brokenConfig: broken, tokenizerHash, licence };
}

/** A repo of the Hub lists its files' hashes; others are read. */
async function hashOf(
  repo: RepoSource & { readonly hub?: { readonly files: readonly HubFile[] } },
  path: string,
  options: OpenOptions,
): Promise<string | null> {
  if (repo.hub !== undefined) {
    const file = repo.hub.files.find((one) => one.path.split('/').at(-1) === path);
    return file === undefined ? null : (file.sha256 ?? file.oid);
  }
  const blob = await repo.open(path, options);
  if (blob === null || blob.size > JSON_CAPS.tokenizer) return null;
  return sha256Hex(await blob.arrayBuffer());
}
