/** News of the cache, from the workers that fill it to the pages that show it. */

const CHANNEL = 'peru-hub-cache';
const FULL = 'full';

/** Says that something was not kept for want of room. */
export function announceFull(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(FULL);
  channel.close();
}

/**
 * Calls back whenever some worker says that there is no more room.
 *
 * @returns what ends it
 */
export function onAnnouncedFull(callBack: () => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (data === FULL) callBack();
  });
  return () => {
    channel.close();
  };
}
