/**
 * What was fetched from the Hub and is kept on this disk (OPFS), so that opening it again moves
 * no byte twice. The worker reads and fills it; the page shows its size and can clear it.
 */
import { freeDiskBytes } from './free-disk';
import { announceFull, onAnnouncedFull } from '@/hub/cache/cache-news';
// Types alone: anything else would bring the code along from the start.
import type { KeptRepo, RangeCache } from '@/hub/cache/range-cache';
import { loadPart } from '@/core/load-part';

export type { KeptRepo };

export interface HubCacheUsage {
  readonly bytes: number;
  readonly files: number;
}

/** Null where the browser keeps no files for pages, as in private windows. */
export async function openHubCache(): Promise<RangeCache | null> {
  const [{ openOpfsStore }, { RangeCache: Cache }] = await loadPart(() =>
    Promise.all([import('./opfs-store'), import('@/hub/cache/range-cache')]),
  );
  const store = await openOpfsStore();
  return store && new Cache(store, { onFull: announceFull });
}

/** Null as for `openHubCache`. */
export async function hubCacheUsage(): Promise<HubCacheUsage | null> {
  const cache = await openHubCache();
  if (cache === null) return null;
  const { bytes, files } = await cache.usage();
  return { bytes, files };
}

/** What is kept for each repo, the largest first; none where nothing can be kept. */
export async function hubCacheByRepo(): Promise<readonly KeptRepo[]> {
  return (await (await openHubCache())?.byRepo()) ?? [];
}

/** Removes what is kept for one repo; files that another repo has too stay. */
export async function removeFromHubCache(repo: string): Promise<void> {
  await (await openHubCache())?.removeRepo(repo);
}

/**
 * Calls back when a job, of any tab, found no more room on this disk: it goes on without keeping
 * what it fetches.
 *
 * @returns what ends it
 */
export function whenHubCacheIsFull(callBack: () => void): () => void {
  return onAnnouncedFull(callBack);
}

/** Removes everything kept; files that are open go on from the Hub. */
export async function clearHubCache(): Promise<void> {
  const cache = await openHubCache();
  await cache?.clear();
}

/** Room for what is fetched, in bytes; null where nothing is kept, or the browser does not tell. */
export async function freeCacheBytes(): Promise<number | null> {
  return (await openHubCache()) === null ? null : freeDiskBytes();
}
