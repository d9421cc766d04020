/** Parts of the page's own script that are fetched when they are first needed. */
import { PeruError } from './errors';

/**
 * Loads a part: `loadPart(() => import('./part'))`.
 *
 * @throws PeruError `source` when it can not be had: offline, or replaced by a newer page
 */
export async function loadPart<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const { onLine } = (globalThis.navigator as { onLine?: boolean } | undefined) ?? {};
    throw onLine === false
      ? new PeruError(
          'source',
          'A part of this page could not be loaded: this device is offline.',
          'Connect to the network and try again.',
          { cause, mayPass: true },
        )
      : new PeruError(
          'source',
          'A part of this page could not be loaded.',
          'Try again; if it stays so, reload the page: there may be a newer one.',
          { cause, mayPass: true },
        );
  }
}
