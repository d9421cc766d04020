/**
 * Which exports on this disk are in use. A worker holds the lock of each folder for as long as it
 * needs it. The page holds folders that files were handed out of: a browser that saves a file reads
 * it from there, and nothing tells when it has done so. A sweep removes what nobody holds.
 */

/** Of the folder that holds all exports. */
export const EXPORTS = 'exports';

/** @param store name of the folder that holds all exports */
export function exportLock(store: string, id: string): string {
  return `peru ${store} ${id}`;
}

/**
 * Takes a lock; the browser gives it back when this thread ends.
 *
 * @returns what gives it back, ending when it is free
 */
export function holdLock(name: string): Promise<() => Promise<void>> {
  return new Promise((granted, refused) => {
    const held = navigator.locks.request(name, () => {
      return new Promise<void>((release) => {
        granted(async () => {
          release();
          await held;
        });
      });
    });
    held.catch(refused);
  });
}

/**
 * Keeps every folder that a worker holds now from being swept once the worker lets go of it, until
 * released or this page is closed. Folders of other tabs are among them: they stay a while longer.
 *
 * @returns what releases them
 */
export async function holdExports(): Promise<() => void> {
  const { held = [] } = await navigator.locks.query();
  const stop = new AbortController();
  const released = new Promise<void>((release) => {
    stop.signal.addEventListener('abort', () => {
      release();
    });
  });
  const prefix = exportLock(EXPORTS, '');
  for (const { name = '', mode } of held) {
    // Shared is how pages hold what no worker needs any more.
    if (mode !== 'exclusive' || !name.startsWith(prefix)) continue;
    // First in the queue once the worker lets go, so that no sweep comes between.
    const options = { mode: 'shared', signal: stop.signal } as const;
    navigator.locks.request(name, options, () => released).catch(() => undefined);
  }
  return () => {
    stop.abort();
  };
}
