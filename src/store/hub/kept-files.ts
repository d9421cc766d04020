/** What of the Hub is kept on this disk: seen and cleared by the visitor. */
import { clearHubCache, hubCacheUsage } from '@/worker/hub-cache';
import { raiseAlert } from '@/store/job/actions';
import { hubStore } from './state';

/** Looks again how much is kept. */
export async function refreshKeptFiles(): Promise<void> {
  hubStore.setState({ kept: await hubCacheUsage() });
}

/** Removes all of it; what is open stays open, and is fetched again where it is read again. */
export async function clearKeptFiles(): Promise<void> {
  try {
    await clearHubCache();
    await refreshKeptFiles();
  } catch (error) {
    raiseAlert(error);
  }
}
