/** Opens repos of a Hub: pins the revision, lists the files, finds what can be merged. */
import { PeruError } from '@/core/errors';
import { listFew } from '@/core/list-names';
import { type AdapterSource } from '@/formats/lora/lora-adapter';
import { ofKind } from '@/formats/folder/model-folders';
import { PEFT } from '@/formats/peft/peft-format';
import {
  type CheckpointSource,
  type OpenOptions,
  type RepoSource,
  SHARD_INDEX_FILE,
  WEIGHTS_FILE,
} from '@/formats/checkpoint/checkpoint-source';
import { type ExportNames } from '@/formats/checkpoint/peru-export';
import { choiceOf, conversionFor, noModels, type Substitute } from './conversions';
import { findCheckpoints, findExport, type FoundModel, topModels } from './find-checkpoints';
import { type HubFile, listRepo, type PinnedRepo, pinRepo } from './hub-api';
import { HubBytes } from './hub-bytes';
import { allOf } from './all-of';
import { type HubClient } from './hub-client';
import { repoPage } from './hub-errors';
import { nothingSeen, type RemoteFile } from './range-read';
import { formatRepoRef, parseRepoRef, pathBelow } from './repo-ref';

/** Where a model came from, for recipes and messages: this never changes. */
export interface Provenance extends PinnedRepo {
  /** Folder inside the repo; empty for the repo itself. */
  readonly folder: string;
  /** The files of its folder, with their hashes. */
  readonly files: readonly HubFile[];
}

export interface HubCheckpoint extends CheckpointSource {
  readonly hub: Provenance;
}

export interface HubAdapter extends AdapterSource {
  readonly hub: Provenance;
}

export interface HubRepo extends PinnedRepo {
  readonly files: readonly HubFile[];
  /** Every model of the part of the repo that was named, sub-folders included. */
  readonly checkpoints: readonly HubCheckpoint[];
  readonly adapters: readonly HubAdapter[];
}

/**
 * Opens one repo. No file of it is read.
 *
 * @param text as `parseRepoRef` takes it
 * @throws PeruError `source` when it is no model repo, can not be seen or has no weights;
 *   `choose-repo` where a conversion to safetensors stands beside pickles; `unsupported` where
 *   there is nothing but other formats
 */
export async function openHubRepo(
  text: string,
  client: HubClient,
  options: OpenOptions = {},
): Promise<HubRepo> {
  const signal = options.signal ?? new AbortController().signal;
  const ref = parseRepoRef(text, client.hubUrl);
  const pinned = await pinRepo(client, ref, signal);
  const files = await listRepo(client, pinned, signal);
  const found = findCheckpoints(
    files.map(({ path }) => path),
    ref.path,
  );
  if (found.models.length === 0) {
    throw await noModels(client, { ...ref, ...pinned, text }, found, signal);
  }
  const opener = repoOpener(client, pinned, files);
  return {
    ...pinned,
    files,
    checkpoints: ofKind(found.models, 'checkpoint').map((model) => {
      const { weightsPath, shards } = model;
      return { ...opener(model), weightsPath, ...(shards !== undefined && { shards }) };
    }),
    adapters: ofKind(found.models, 'adapter').map((model) => {
      return { ...opener(model), format: model.format };
    }),
  };
}

export interface HubGroup {
  /** Ids of all models, in the order of the references. */
  readonly ids: readonly string[];
  readonly checkpoints: readonly HubCheckpoint[];
  readonly adapters: readonly HubAdapter[];
  /** What was opened in the place of what was named. */
  readonly substitutes: readonly Substitute[];
}

export interface GroupOptions extends OpenOptions {
  /**
   * Takes safetensors of another revision without asking, where the one that is named is not there
   * or has none; default false.
   */
  readonly takesConversions?: boolean;
}

/**
 * Opens the models that a list of references names, one each, side by side.
 *
 * @throws PeruError as `openHubRepo`; `choose-repo` where a reference may mean several models; where
 *   several fail, one that names each with its reason
 */
export async function openHubGroup(
  texts: readonly string[],
  client: HubClient,
  { takesConversions = false, ...options }: GroupOptions = {},
): Promise<HubGroup> {
  const substitutes: Substitute[] = [];
  const open = async (text: string): Promise<HubCheckpoint | HubAdapter> => {
    try {
      return await openHubModel(text, client, options);
    } catch (error) {
      options.signal?.throwIfAborted();
      const instead = takesConversions ? await conversionFor(text, error, client, options) : null;
      if (instead === null) throw error;
      substitutes.push(instead);
      return openHubModel(instead.taken, client, options);
    }
  };
  const models = await allOf(texts, open, options.signal);
  const names = distinctNames(models.map(({ hub }) => hub));
  const named = models.map((model, i) => ({ ...model, name: names[i]! }));
  const twice = models.find(({ id }, i) => models.findIndex((other) => other.id === id) < i);
  if (twice !== undefined) {
    throw new PeruError(
      'source',
      `${twice.id} was given twice.`,
      'Take one of the two away: a group holds each model once.',
    );
  }
  return {
    ids: named.map(({ id }) => id),
    checkpoints: named.filter((model): model is HubCheckpoint => 'weightsPath' in model),
    adapters: named.filter((model): model is HubAdapter => 'format' in model),
    substitutes,
  };
}

/** A folder of a repo that looks like what Peru exported. */
export interface HubExport {
  readonly repo: RepoSource & { readonly hub: Provenance };
  /** Of the merged model and the sparse vectors; null for an export of adapters. */
  readonly names: ExportNames | null;
  readonly adapters: readonly HubAdapter[];
}

/**
 * Looks whether a reference names an export of Peru's. No file of it is read.
 *
 * @returns null where it names anything else
 * @throws PeruError `source` when it is no model repo or can not be seen
 */
export async function openHubExport(
  text: string,
  client: HubClient,
  options: OpenOptions = {},
): Promise<HubExport | null> {
  const signal = options.signal ?? new AbortController().signal;
  const ref = parseRepoRef(text, client.hubUrl);
  const pinned = await pinRepo(client, ref, signal);
  const files = await listRepo(client, pinned, signal);
  const found = findExport(
    files.map(({ path }) => path),
    ref.path,
  );
  if (found === null) return null;
  const opener = repoOpener(client, pinned, files);
  const at = (folder: string): HubAdapter => {
    const { weights } = PEFT.files;
    return { ...opener({ kind: 'adapter', folder, weightsPath: weights }), format: PEFT };
  };
  return { repo: at(ref.path), names: found.names, adapters: found.adapters.map(at) };
}

/**
 * Opens the one model that a reference names.
 *
 * @throws PeruError as `openHubRepo`; `choose-repo` where it may mean several
 */
export async function openHubModel(
  text: string,
  client: HubClient,
  options: OpenOptions = {},
): Promise<HubCheckpoint | HubAdapter> {
  const ref = parseRepoRef(text, client.hubUrl);
  const repo = await openHubRepo(text, client, options);
  const all = [...repo.checkpoints, ...repo.adapters];
  const places = topModels(all.map(asFound), ref.path);
  const top = all.filter((model) => places.some((place) => isAt(model, place)));
  const [only, another] = top;
  if (only !== undefined && another === undefined) return only;
  throw new PeruError(
    'choose-repo',
    `${formatRepoRef(ref)} holds ${top.length} models: ${listFew(top.map(pathOf))}.`,
    'Choose one, or give its folder or file behind the repo’s name.',
    { choices: top.map((model) => choiceOf({ ...ref, path: pathOf(model) }, text)) },
  );
}

function asFound(model: HubCheckpoint | HubAdapter): Place {
  const { folder } = model.hub;
  return 'weightsPath' in model
    ? { kind: 'checkpoint', folder, weightsPath: model.weightsPath }
    : { kind: 'adapter', folder, weightsPath: '' };
}

function isAt(model: HubCheckpoint | HubAdapter, place: Place): boolean {
  const own = asFound(model);
  return own.folder === place.folder && own.weightsPath === place.weightsPath;
}

/** The shortest path inside the repo that names the model. */
function pathOf(model: HubCheckpoint | HubAdapter): string {
  const { folder, weightsPath } = asFound(model);
  return isMainFile(weightsPath) ? folder : pathBelow(folder, weightsPath);
}

/** Where a model lies in its repo. */
type Place = Pick<FoundModel, 'kind' | 'folder' | 'weightsPath'>;

type Opener = (model: Place) => RepoSource & { readonly hub: Provenance };

function repoOpener(client: HubClient, pinned: PinnedRepo, files: readonly HubFile[]): Opener {
  const remote = new Map(files.map((file) => [file.path, remoteFile(client, pinned, file)]));
  return ({ kind, folder, weightsPath }) => {
    const { repo, commit } = pinned;
    const inFolder = files.filter(({ path }) => folderOf(path) === folder);
    const place = pathBelow(repo, folder);
    return {
      id: `${kind === 'adapter' || isMainFile(weightsPath) ? place : pathBelow(place, weightsPath)}@${commit}`,
      name: place.slice(place.lastIndexOf('/') + 1),
      folder: place,
      ifMissing: `See which files the repo has at ${repoPage({ hub: client.hub, repo })}/tree/${commit}.`,
      hub: { ...pinned, folder, files: inFolder },
      listedSha256: (path) => remote.get(pathBelow(folder, path))?.sha256 ?? null,
      paths: inFolder.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)),
      open: (path, { signal, onProgress } = {}) => {
        signal?.throwIfAborted();
        const file = remote.get(pathBelow(folder, path));
        const blob = file === undefined ? null : new HubBytes(client, file, { signal, onProgress });
        return Promise.resolve(blob);
      },
    };
  };
}

/** Whether a folder is known by the weights of this name: others are named themselves. */
function isMainFile(weightsPath: string): boolean {
  return ['', WEIGHTS_FILE, SHARD_INDEX_FILE].includes(weightsPath);
}

function remoteFile(
  client: HubClient,
  { repo, revision, commit }: PinnedRepo,
  file: HubFile,
): RemoteFile {
  const { path, size, oid, sha256, xetHash } = file;
  const contentKey = sha256 === null ? `git-${oid}` : `sha256-${sha256}`;
  const about = client.about({ repo, revision, path });
  return { about, commit, size, contentKey, sha256, xetHash, seen: nothingSeen() };
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** The shortest names that tell models apart: folder, then repo, then revision too. */
function distinctNames(places: readonly Provenance[]): string[] {
  const full = ({ repo, folder }: Provenance): string => pathBelow(repo, folder);
  const levels = [
    (place: Provenance) => full(place).slice(full(place).lastIndexOf('/') + 1),
    full,
    (place: Provenance) => `${full(place)}@${place.revision}`,
  ];
  for (const level of levels) {
    const names = places.map(level);
    if (new Set(names).size === names.length) return names;
  }
  return places.map((place) => `${full(place)}@${place.commit}`);
}
