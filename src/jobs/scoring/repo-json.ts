import {
  type OpenOptions,
  openRequired,
  type RepoSource,
} from '@/formats/checkpoint/checkpoint-source';
import { JSON_CAPS, readJsonObject } from '@/formats/checkpoint/json-file';

/**
 * Reads a JSON file of a repo, with the cap that fits its kind.
 *
 * @throws PeruError `source` when it is missing, `parse` when it is broken or too large
 */
export async function readRepoJson(
  repo: RepoSource,
  path: string,
  options: OpenOptions,
): Promise<object> {
  const cap = path === 'tokenizer.json' ? JSON_CAPS.tokenizer : JSON_CAPS.config;
  return readJsonObject(await openRequired(repo, path, options), `${repo.name}/${path}`, cap);
}

/** Reads a JSON file that a repo may lack; null where it does. */
export async function readOptionalJson(
  repo: RepoSource,
  path: string,
  options: OpenOptions,
): Promise<object | null> {
  const blob = await repo.open(path, options);
  return blob && readJsonObject(blob, `${repo.name}/${path}`, JSON_CAPS.config);
}
