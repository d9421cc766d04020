/** Room the browser grants this page on disk, in bytes; null where it does not tell. */
export async function freeDiskBytes(): Promise<number | null> {
  const { quota, usage } = await navigator.storage.estimate();
  return quota === undefined ? null : Math.max(0, quota - (usage ?? 0));
}
