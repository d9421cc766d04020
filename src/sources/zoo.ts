/**
 * The embedded zoo: small checkpoints and datasets under one base URL, laid out as Hub repos and
 * listed in zoo.json. Its files are small, so each is fetched whole, once, when first opened.
 */
import { PeruError } from '@/tensor/errors';
import {
  type CheckpointSource,
  joinPath,
  openRequired,
  type OpenOptions,
  type RepoSource,
  WEIGHTS_FILE,
} from './checkpoint-source';
import { type Fetch, fetchFile } from './fetch-file';
import { isRecord, JSON_CAPS, readJsonObject } from './json-file';

/** Largest file of the zoo that is fetched, in bytes. */
export const MAX_ZOO_FILE_BYTES = 32_000_000;

export interface ZooTask {
  /** Key of the task in results and file names. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly model: CheckpointSource;
  readonly dataset: RepoSource;
  /** Prompts with `{}` or `{c}` in the place of a class name. */
  readonly templates: readonly string[];
}

export interface Zoo {
  readonly demo: string;
  readonly base: CheckpointSource;
  /** λ chosen on validation data. */
  readonly lambda: number;
  readonly tasks: readonly ZooTask[];
}

export interface ZooOptions extends OpenOptions {
  /** Where zoo.json lies, ending in a slash. */
  readonly baseUrl: string | URL;
  readonly fetch?: Fetch;
}

/** Where `datasets` puts a split that fits one file. */
export function splitPath(split: 'test' | 'validation'): string {
  return `data/${split}-00000-of-00001.parquet`;
}

/**
 * Opens the zoo: one request, for its manifest.
 *
 * @throws PeruError `source` when it can not be fetched, `parse` when the manifest is broken
 */
export async function openZoo(options: ZooOptions): Promise<Zoo> {
  const door = {
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    baseUrl: new URL(options.baseUrl),
  };
  const root = webRepo('zoo', '', door);
  const manifest = await readJsonObject(
    await openRequired(root, 'zoo.json', options),
    'zoo.json',
    JSON_CAPS.manifest,
  );
  return readManifest(manifest, door);
}

interface Door {
  readonly fetch: Fetch;
  readonly baseUrl: URL;
}

/**
 * A folder below the base URL; files stay in memory once fetched. Callers of one job, known by
 * its signal, share a request; another job never depends on one that may be cancelled.
 */
function webRepo(name: string, folder: string, door: Door): RepoSource {
  const opened = new Map<string, Blob | null>();
  const underWay = new Map<
    string,
    { signal?: AbortSignal | undefined; blob: Promise<Blob | null> }
  >();
  const fetchOnce = async (path: string, options: OpenOptions): Promise<Blob | null> => {
    const fullPath = joinPath(folder, path);
    const blob = await fetchFile(new URL(fullPath, door.baseUrl), {
      ...options,
      path: fullPath,
      fetch: door.fetch,
      maxBytes: MAX_ZOO_FILE_BYTES,
    });
    opened.set(path, blob);
    return blob;
  };
  return {
    id: folder === '' ? name : folder,
    name,
    folder,
    ifMissing: 'Reload the page: the site may be incomplete or just being updated.',
    async open(path, options = {}) {
      const known = opened.get(path);
      if (known !== undefined) return known;
      const shared = underWay.get(path);
      if (shared !== undefined && shared.signal === options.signal) return shared.blob;
      const request = { signal: options.signal, blob: fetchOnce(path, options) };
      underWay.set(path, request);
      try {
        return await request.blob;
      } finally {
        if (underWay.get(path) === request) underWay.delete(path);
      }
    },
  };
}

function webCheckpoint(folder: string, door: Door): CheckpointSource {
  const name = folder.slice(folder.lastIndexOf('/') + 1);
  return { ...webRepo(name, folder, door), weightsPath: WEIGHTS_FILE };
}

function broken(what: string): PeruError {
  return new PeruError(
    'parse',
    `zoo.json is broken: ${what}.`,
    'Reload the page; if that does not help, the site was built incompletely.',
  );
}

function readManifest(manifest: Readonly<Record<string, unknown>>, door: Door): Zoo {
  const { demo, base, lambda, tasks } = manifest;
  if (typeof demo !== 'string') throw broken('"demo" is not text');
  if (typeof lambda !== 'number') throw broken('"lambda" is not a number');
  if (!Array.isArray(tasks) || tasks.length === 0) throw broken('"tasks" is not a list of tasks');
  return {
    demo,
    lambda,
    base: webCheckpoint(folderPath(base, 'base'), door),
    tasks: tasks.map((task: unknown, i) => readTask(task, `tasks[${i}]`, door)),
  };
}

function readTask(task: unknown, where: string, door: Door): ZooTask {
  if (!isRecord(task)) throw broken(`${where} is not an object`);
  const { name, title, model, dataset, templates } = task;
  if (typeof name !== 'string' || !/^[\w-]+$/.test(name)) throw broken(`${where} has no name`);
  if (typeof title !== 'string') throw broken(`${where} has no title`);
  if (!isTextList(templates) || templates.length === 0) throw broken(`${where} has no templates`);
  return {
    name,
    title,
    model: webCheckpoint(folderPath(model, `${where}.model`), door),
    dataset: webRepo(name, folderPath(dataset, `${where}.dataset`), door),
    templates,
  };
}

/** A relative path that stays below the zoo. */
function folderPath(value: unknown, where: string): string {
  if (typeof value === 'string' && /^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/.test(value)) return value;
  throw broken(`"${where}" is not the path of a folder`);
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
