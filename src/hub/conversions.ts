/** Repos without safetensors: what is there instead, and the revision that a conversion stands at. */
import { type ErrorChoice, PeruError } from '@/core/errors';
import { listFew } from '@/core/list-names';
import { type OpenOptions } from '@/formats/checkpoint/checkpoint-source';
import { findCheckpoints, type FoundModels } from './find-checkpoints';
import { conversions, listRepo, type PinnedRepo, pinRepo } from './hub-api';
import { type HubClient } from './hub-client';
import { NoRevisionError, repoPage } from './hub-errors';
import { formatRepoRef, parseRepoRef, pathBelow, type RepoRef } from './repo-ref';

/** What was opened in the place of what was named. */
export interface Substitute {
  /** Both are references. */
  readonly named: string;
  readonly taken: string;
  /** One sentence for people. */
  readonly because: string;
}

/** There are pickles only; the conversions of them, where the Hub has any, are its choices. */
class PicklesOnlyError extends PeruError {}

/** Why a place in a repo opens as nothing, and what to do about it. */
export async function noModels(
  client: HubClient,
  asked: RepoRef & PinnedRepo & { readonly text: string },
  { pickles, otherWeights }: FoundModels,
  signal: AbortSignal,
): Promise<PeruError> {
  const where = `${pathBelow(asked.repo, asked.path)} at ${asked.revision}`;
  if (pickles.length > 0) {
    const converted = await convertedRefs(client, asked, signal);
    const message = `${where} has only PyTorch pickles (${listFew(pickles)}), which can run code when they are read.`;
    return converted.length > 0
      ? new PicklesOnlyError(
          'choose-repo',
          message,
          `The Hub’s converter wrote them as safetensors in a pull request: take ${formatRepoRef(converted[0]!)}.`,
          { choices: converted.map((ref) => choiceOf(ref, asked.text)) },
        )
      : new PicklesOnlyError(
          'unsupported',
          message,
          'Let the Hub convert them (huggingface.co/spaces/safetensors/convert) and give the pull request as refs/pr/N, or ask the owner for safetensors.',
        );
  }
  if (otherWeights.length > 0) {
    return new PeruError(
      'unsupported',
      `${where} has no safetensors, only ${listFew(otherWeights)}.`,
      'Use the repo that the model was converted from: the Hub’s page names it as the base model.',
    );
  }
  return new PeruError(
    'source',
    `${where} has no weights: there is no .safetensors file.`,
    `See which files there are at ${repoPage({ hub: client.hub, repo: asked.repo })}/tree/${encodeURIComponent(asked.revision)}.`,
  );
}

/**
 * The revision with safetensors that can stand in for one that has pickles only, or that is not
 * there (any more).
 *
 * @param error that opening the reference ended with
 * @returns null where the error is another, or there is no such revision
 */
export async function conversionFor(
  named: string,
  error: unknown,
  client: HubClient,
  { signal = new AbortController().signal }: OpenOptions,
): Promise<Substitute | null> {
  if (error instanceof PicklesOnlyError) {
    const [choice] = error.choices;
    return choice === undefined ? null : substitute(named, choice.id, 'it has pickles only');
  }
  if (!(error instanceof NoRevisionError)) return null;
  const ref = { ...parseRepoRef(named, client.hubUrl), revision: null };
  const [found] = (await hasModels(client, ref, signal).catch(() => false))
    ? [ref]
    : await convertedRefs(client, { ...ref, revision: 'main' }, signal);
  signal.throwIfAborted();
  return found === undefined ? null : substitute(named, formatRepoRef(found), 'it is not there');
}

function substitute(named: string, taken: string, why: string): Substitute {
  return { named, taken, because: `${named} could not be opened: ${why}.` };
}

export function choiceOf(ref: RepoRef, replaces: string): ErrorChoice {
  const text = formatRepoRef(ref);
  return { id: text, name: text, replaces };
}

/** References to conversions that do hold safetensors; none where the Hub will not say. */
async function convertedRefs(
  client: HubClient,
  { path, repo, revision }: RepoRef & { readonly revision: string },
  signal: AbortSignal,
): Promise<RepoRef[]> {
  try {
    const found: RepoRef[] = [];
    for (const converted of await conversions(client, { repo, revision }, signal)) {
      const ref = { repo, revision: converted, path };
      if (await hasModels(client, ref, signal)) found.push(ref);
    }
    return found;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof PeruError) return [];
    throw error;
  }
}

async function hasModels(client: HubClient, ref: RepoRef, signal: AbortSignal): Promise<boolean> {
  const pinned = await pinRepo(client, ref, signal);
  const files = await listRepo(client, pinned, signal);
  const paths = files.map(({ path }) => path);
  return findCheckpoints(paths, ref.path).models.length > 0;
}
