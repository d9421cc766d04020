/**
 * Test splits of data set repos of the Hub: the repo is pinned to a commit, the split's files are
 * found by name, and of them only footers and sampled rows are read.
 */
import { datasetInfo, type ListFileEntry, listFiles } from '@huggingface/hub';
import { PeruError } from '@/core/errors';
import { type OpenOptions } from '@/formats/checkpoint/checkpoint-source';
import { type ImageDataset } from './dataset';
import { openImageSample, SPLIT_SAMPLE_ROWS, type Shard } from './dataset-sample';
import { HubBytes } from '@/hub/hub-bytes';
import { type HubClient } from '@/hub/hub-client';
import { NoEntryError, NoRepoError, wrongAnswer } from '@/hub/hub-errors';
import { nothingSeen, type RemoteFile } from '@/hub/range-read';
import { type SplitPlace } from '@/sources/presets';
import { openTextSample, type TextDataset, type TextDatasetOptions } from './text-dataset';

/** Most files of a split; large ones are cut into a few dozen. */
const MAX_SHARDS = 1000;
const COMMIT = /^[0-9a-f]{40}$/;
const SHA256 = /^[0-9a-f]{64}$/;

export interface SampleSize {
  /** Default: SPLIT_SAMPLE_ROWS. */
  readonly sampleRows?: number | undefined;
}

/**
 * A sample of an image split.
 *
 * @param classNames in label order
 * @throws PeruError when the repo or its split can not be seen or read, or has other classes
 */
export async function openHubImages(
  client: HubClient,
  place: SplitPlace,
  {
    classNames,
    sampleRows = SPLIT_SAMPLE_ROWS,
  }: SampleSize & { readonly classNames: readonly string[] },
  options: OpenOptions,
): Promise<ImageDataset> {
  const shards = await openSplit(client, place, options);
  return openImageSample(shards, { name: place.repo, classNames, sampleRows });
}

/**
 * A sample of a text split.
 *
 * @throws PeruError when the repo or its split can not be seen or read, or lacks a column
 */
export async function openHubTexts(
  client: HubClient,
  place: SplitPlace,
  { sampleRows = SPLIT_SAMPLE_ROWS, ...prompt }: SampleSize & TextDatasetOptions,
  options: OpenOptions,
): Promise<TextDataset> {
  const shards = await openSplit(client, place, options);
  return openTextSample(shards, `${place.repo}/${place.folder}`, prompt, sampleRows);
}

/** The files of a split at the commit its main branch stands at now. Nothing of them is read. */
async function openSplit(
  client: HubClient,
  place: SplitPlace,
  { signal = new AbortController().signal, onProgress }: OpenOptions,
): Promise<Shard[]> {
  const { folder, split } = place;
  // The Hub's addresses, pages and files alike, stand below `datasets/`.
  const repo = `datasets/${place.repo}`;
  const about = client.about({ repo, revision: null, path: null });
  const request = { hubUrl: client.hubUrl, fetch: client.apiFetch(about, signal) };
  const { sha: commit } = await datasetInfo({
    name: place.repo,
    revision: 'main',
    additionalFields: ['sha'],
    ...request,
  }).catch((error: unknown) => {
    throw error instanceof NoRepoError ? noDataSet(place, client) : error;
  });
  if (!COMMIT.test(commit)) throw wrongAnswer(about, 'it names no commit');
  const entries = listFiles({
    repo: { type: 'dataset', name: place.repo },
    path: folder,
    revision: commit,
    ...request,
  });
  const files: (RemoteFile & { readonly path: string })[] = [];
  for (const { path, size, oid, lfs } of await splitEntries(entries, split)) {
    const sha256 = lfs !== undefined && SHA256.test(lfs.oid) ? lfs.oid : null;
    const contentKey = sha256 === null ? `git-${oid ?? path}` : `sha256-${sha256}`;
    const whole = {
      path,
      commit,
      contentKey,
      sha256,
      size: lfs?.size ?? size,
      seen: nothingSeen(),
    };
    files.push({ ...whole, xetHash: null, about: client.about({ repo, revision: 'main', path }) });
  }
  if (files.length === 0) throw noSplit(place, client);
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return files.map((file) => {
    const blob = new HubBytes(client, file, { signal, onProgress });
    return { blob, name: `${place.repo}/${file.path}` };
  });
}

/** Of a folder that is not there: none. The repo and its commit are, or they had been refused before. */
async function splitEntries(
  entries: AsyncIterable<ListFileEntry>,
  split: string,
): Promise<ListFileEntry[]> {
  const found: ListFileEntry[] = [];
  try {
    for await (const entry of entries) {
      const fits = entry.type === 'file' && isOfSplit(entry.path, split);
      if (fits && found.length < MAX_SHARDS) found.push(entry);
    }
  } catch (error) {
    if (!(error instanceof NoEntryError || error instanceof NoRepoError)) throw error;
  }
  return found;
}

/** Splits are cut into numbered files: `test-00000-of-00003.parquet`. */
function isOfSplit(path: string, split: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return (
    name.startsWith(`${split}-`) &&
    /^\d{5}-of-\d{5}(?:-[0-9a-f]+)?\.parquet$/.test(name.slice(split.length + 1))
  );
}

function noDataSet({ repo }: SplitPlace, client: HubClient): PeruError {
  return new PeruError(
    'source',
    `${client.hub.host} has no data set ${repo} that may be read: there is none by now, or it is private.`,
    'The other tasks are scored all the same.',
  );
}

function noSplit({ repo, folder, split }: SplitPlace, client: HubClient): PeruError {
  return new PeruError(
    'source',
    `The data set ${repo} has no parquet files of its split ${split} in ${folder}.`,
    `See which files it has by now at ${new URL(`datasets/${repo}/tree/main`, client.hub).href}.`,
  );
}
