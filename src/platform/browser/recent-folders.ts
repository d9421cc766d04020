/**
 * Folders of the visitor's disk that the page may open again, where the browser has the File
 * System Access API. What is kept is the browser's own handle, in IndexedDB: no path and no byte
 * of a file; the browser asks the visitor again before any of it is read.
 */
import { PeruError } from '@/core/errors';

export interface RecentFolder {
  readonly id: string;
  readonly name: string;
}

/** A file of an opened folder; its path begins with the folder's name. */
export interface FolderFile {
  readonly path: string;
  readonly file: File;
}

interface KeptFolder extends RecentFolder {
  readonly handle: FileSystemDirectoryHandle;
}

const MAX_FOLDERS = 8;
const KEY = 'folders';

/** What TypeScript's library does not know of: https://wicg.github.io/file-system-access/. */
interface AskingHandle extends FileSystemDirectoryHandle {
  queryPermission?(descriptor: { mode: 'read' }): Promise<PermissionState>;
  requestPermission?(descriptor: { mode: 'read' }): Promise<PermissionState>;
}

interface PickerWindow {
  showDirectoryPicker?(options: { id: string; mode: 'read' }): Promise<FileSystemDirectoryHandle>;
}

/** Whether folders can be picked so that they open again. */
export function canReopenFolders(): boolean {
  return picker() !== undefined;
}

/**
 * Lets the visitor pick a folder; only from within a click.
 *
 * @returns null where the visitor picks none
 */
export async function pickFolder(): Promise<FileSystemDirectoryHandle | null> {
  try {
    return (await picker()?.({ id: 'checkpoints', mode: 'read' })) ?? null;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

/** The folders kept, newest first; none where the browser keeps nothing. */
export async function recentFolders(): Promise<readonly RecentFolder[]> {
  return (await keptFolders()).map(({ id, name }) => ({ id, name }));
}

/** Keeps a folder as the newest; the same folder is kept once, and the oldest goes. */
export async function rememberFolder(handle: FileSystemDirectoryHandle): Promise<void> {
  const before = await keptFolders();
  const same = await Promise.all(before.map((kept) => kept.handle.isSameEntry(handle)));
  const stale = new Set(before.filter((_, i) => same[i]).map(({ id }) => id));
  const kept: KeptFolder = { id: crypto.randomUUID(), name: handle.name, handle };
  await change((folders) => [kept, ...folders.filter(({ id }) => !stale.has(id))]);
}

export async function forgetFolder(id: string): Promise<void> {
  await change((folders) => folders.filter((kept) => kept.id !== id));
}

/**
 * Opens a kept folder again; only from within a click, as the browser may ask.
 *
 * @throws PeruError `source` when the visitor refuses, or the folder is gone
 */
export async function reopenFolder({ id, name }: RecentFolder): Promise<FileSystemDirectoryHandle> {
  const handle: AskingHandle | undefined = (await keptFolders()).find(
    (kept) => kept.id === id,
  )?.handle;
  if (handle === undefined) throw gone(name);
  const state = await handle.queryPermission?.({ mode: 'read' });
  if (state === 'granted' || state === undefined) return handle;
  if ((await handle.requestPermission?.({ mode: 'read' })) === 'granted') return handle;
  throw new PeruError(
    'source',
    `The browser was not allowed to read the folder ${name}.`,
    'Open it once more and allow it to be read, or forget it.',
  );
}

/**
 * Every file below a folder; nothing of them is read.
 *
 * @throws PeruError `source` when the folder is gone or can not be read
 */
export async function filesOfFolder(
  handle: FileSystemDirectoryHandle,
): Promise<readonly FolderFile[]> {
  try {
    return await filesBelow(handle, handle.name);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotFoundError') throw gone(handle.name);
    throw new PeruError(
      'source',
      `The folder ${handle.name} can not be read.`,
      'Look whether its disk is connected and this browser may read it, then open it again.',
      { cause: error },
    );
  }
}

async function filesBelow(
  folder: FileSystemDirectoryHandle,
  path: string,
): Promise<readonly FolderFile[]> {
  const found: FolderFile[] = [];
  for await (const [name, entry] of folder.entries()) {
    const below = `${path}/${name}`;
    if (entry.kind === 'directory') found.push(...(await filesBelow(entry, below)));
    else found.push({ path: below, file: await entry.getFile() });
  }
  return found;
}

function gone(name: string): PeruError {
  return new PeruError(
    'source',
    `The folder ${name} is not where it was.`,
    'Open it from where it is now, or forget it.',
  );
}

function picker(): PickerWindow['showDirectoryPicker'] {
  const holder = globalThis as PickerWindow;
  return holder.showDirectoryPicker?.bind(holder);
}

async function keptFolders(): Promise<readonly KeptFolder[]> {
  try {
    const { store, get } = await openStore();
    return (await get<readonly KeptFolder[]>(KEY, store)) ?? [];
  } catch {
    // A private window, or a browser that keeps nothing: there is nothing to open again.
    return [];
  }
}

async function change(
  next: (folders: readonly KeptFolder[]) => readonly KeptFolder[],
): Promise<void> {
  const { store, update } = await openStore();
  await update<readonly KeptFolder[]>(
    KEY,
    (folders) => next(folders ?? []).slice(0, MAX_FOLDERS),
    store,
  );
}

async function openStore() {
  const { createStore, get, update } = await import('idb-keyval');
  return { store: createStore('peru-folders', 'recent'), get, update };
}
