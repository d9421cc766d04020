/** What of the Hub is kept on this disk: seen and cleared by the visitor, as a whole or by repo. */
import {
  clearHubCache,
  hubCacheByRepo,
  hubCacheUsage,
  type KeptRepo,
  removeFromHubCache,
  whenHubCacheIsFull,
} from '@/platform/browser/hub-cache';
import { raiseAlert } from './job';
import { hubStore } from '@/store/state/hub';

export type { KeptRepo };

/** Looks again how much is kept, and for which repos. */
export async function refreshKeptFiles(): Promise<void> {
  try {
    const [kept, keptRepos] = await Promise.all([hubCacheUsage(), hubCacheByRepo()]);
    hubStore.setState({ kept, keptRepos });
  } catch {
    // Nobody asked for it: what was known stays shown.
  }
}

/** Removes all of it; what is open stays open, and is fetched again where it is read again. */
export async function clearKeptFiles(): Promise<void> {
  await removeAndLook(clearHubCache);
}

/** Removes what is kept for one repo; files that another repo has too stay. */
export async function removeKeptRepo(repo: string): Promise<void> {
  await removeAndLook(() => removeFromHubCache(repo));
}

/**
 * Watches for a job that finds no more room.
 *
 * @returns what ends it
 */
export function watchRoom(): () => void {
  return whenHubCacheIsFull(() => {
    hubStore.setState({ isDiskFull: true });
  });
}

async function removeAndLook(remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
    hubStore.setState({ isDiskFull: false });
    await refreshKeptFiles();
  } catch (error) {
    raiseAlert(error);
  }
}
