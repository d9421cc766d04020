/** Folders of this disk opened before: listed, opened again, forgotten. */
import { createStore } from 'zustand/vanilla';
import { raiseAlert } from './job';
import {
  canReopenFolders,
  filesOfFolder,
  forgetFolder,
  pickFolder,
  type RecentFolder,
  recentFolders,
  rememberFolder,
  reopenFolder,
} from '@/platform/browser/recent-folders';
import { addFiles } from './sources';

export { canReopenFolders, type RecentFolder };

export interface RecentState {
  /** Newest first; empty before they were looked up. */
  readonly folders: readonly RecentFolder[];
}

export const recentStore = createStore<RecentState>(() => ({ folders: [] }));

export function selectRecent({ folders }: RecentState): readonly RecentFolder[] {
  return folders;
}

/** Looks up what is kept. */
export async function refreshRecent(): Promise<void> {
  recentStore.setState({ folders: await recentFolders() });
}

/** Lets the visitor pick a folder, adds its files and keeps it for the next time. */
export async function openFolder(): Promise<void> {
  await orAlert(async () => {
    const folder = await pickFolder();
    if (folder !== null) await addFolder(folder);
  });
}

/** Adds the files of a folder opened before; the browser may ask the visitor first. */
export async function openRecent(recent: RecentFolder): Promise<void> {
  await orAlert(async () => {
    await addFolder(await reopenFolder(recent));
  });
}

export async function forgetRecent({ id }: RecentFolder): Promise<void> {
  await orAlert(async () => {
    await forgetFolder(id);
    await refreshRecent();
  });
}

/** Keeps dropped folders for the next time; where that fails, the drop itself still counts. */
export async function rememberFolders(
  folders: readonly FileSystemDirectoryHandle[],
): Promise<void> {
  try {
    for (const folder of folders) await rememberFolder(folder);
    if (folders.length > 0) await refreshRecent();
  } catch {
    // A browser that keeps nothing: what was dropped opens all the same.
  }
}

async function addFolder(folder: FileSystemDirectoryHandle): Promise<void> {
  addFiles(await filesOfFolder(folder));
  await rememberFolders([folder]);
}

async function orAlert(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    raiseAlert(error);
  }
}
