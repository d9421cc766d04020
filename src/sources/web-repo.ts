/** Folders of files under one base URL, laid out as Hub repos: what the embedded zoos are. */
import { type ByteSource } from '@/tensor/byte-source';
import {
  type CheckpointSource,
  joinPath,
  type OpenOptions,
  type RepoSource,
  WEIGHTS_FILE,
} from '@/formats/checkpoint/checkpoint-source';
import { type Fetch, fetchFile } from './fetch-file';

/** Largest file of a zoo that is fetched, in bytes. */
const MAX_ZOO_FILE_BYTES = 32_000_000;

/** Where a zoo's files come from. */
export interface Door {
  readonly fetch: Fetch;
  readonly baseUrl: URL;
}

/**
 * A folder below the base URL; files stay in memory once fetched. Callers of one job, known by
 * its signal, share a request; another job never depends on one that may be cancelled.
 */
export function webRepo(name: string, folder: string, door: Door): RepoSource {
  const opened = new Map<string, ByteSource | null>();
  const underWay = new Map<
    string,
    { signal?: AbortSignal | undefined; blob: Promise<ByteSource | null> }
  >();
  const fetchOnce = async (path: string, options: OpenOptions): Promise<ByteSource | null> => {
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

/** A folder with a checkpoint as `save_pretrained` writes it. */
export function webCheckpoint(folder: string, door: Door): CheckpointSource {
  const name = folder.slice(folder.lastIndexOf('/') + 1);
  return { ...webRepo(name, folder, door), weightsPath: WEIGHTS_FILE };
}
