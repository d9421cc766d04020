/**
 * What was fetched from the Hub and is kept on this disk (OPFS), so that opening it again moves
 * no byte twice. The worker reads and fills it; the page shows its size and can clear it.
 */
import { type RangeCache } from '@/sources/hub/cache/range-cache';

export interface HubCacheUsage {
  readonly bytes: number;
  readonly files: number;
}

/** Null where the browser keeps no files for pages, as in private windows. */
export async function openHubCache(): Promise<RangeCache | null> {
  const [{ openOpfsStore }, { RangeCache: Cache }] = await Promise.all([
    import('@/sources/hub/cache/opfs-store'),
    import('@/sources/hub/cache/range-cache'),
  ]);
  const store = await openOpfsStore();
  return store && new Cache(store);
}

/** Null as for `openHubCache`. */
export async function hubCacheUsage(): Promise<HubCacheUsage | null> {
  const cache = await openHubCache();
  if (cache === null) return null;
  const { bytes, files } = await cache.usage();
  return { bytes, files };
}

/** Removes everything kept; files that are open go on from the Hub. */
export async function clearHubCache(): Promise<void> {
  const cache = await openHubCache();
  await cache?.clear();
}
