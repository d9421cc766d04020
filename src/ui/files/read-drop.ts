/** Files of a drop, folders opened to their last level. */
import { type AddedFile } from '@/store/state/sources';

/**
 * Every file of the drop with its path from the dropped item on.
 *
 * @throws DOMException where the browser may not read a dropped file
 */
export async function filesOfDrop(transfer: DataTransfer): Promise<readonly AddedFile[]> {
  // Both lists empty themselves once this task ends: entries are taken before the first await.
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const loose = entries.length > 0 ? [] : filesOfInput(transfer.files);
  const nested = await Promise.all(entries.map(filesOfEntry));
  return [...loose, ...apart(nested).flat()];
}

/**
 * Handles of the dropped folders, where the browser has them, so that they can be opened again.
 * To be called before the drop's task ends.
 */
export async function foldersOfDrop(
  transfer: DataTransfer,
): Promise<readonly FileSystemDirectoryHandle[]> {
  const handles = await Promise.all([...transfer.items].map(handleOf));
  return handles.filter((handle): handle is FileSystemDirectoryHandle => {
    return handle?.kind === 'directory';
  });
}

/** Null where there is none: the dropped files themselves are read without it. */
async function handleOf(item: HandleItem): Promise<FileSystemHandle | null> {
  try {
    return (await item.getAsFileSystemHandle?.()) ?? null;
  } catch {
    return null;
  }
}

/** What TypeScript's library does not know of: https://wicg.github.io/file-system-access/. */
interface HandleItem extends DataTransferItem {
  getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
}

/** Items of one name, from several places, must not become one folder: later ones get a number. */
function apart(items: readonly (readonly AddedFile[])[]): readonly (readonly AddedFile[])[] {
  const seen = new Map<string, number>();
  return items.map((files) => {
    const root = files[0]?.path.split('/')[0] ?? '';
    const number = (seen.get(root) ?? 0) + 1;
    seen.set(root, number);
    return number === 1
      ? files
      : files.map(({ path, file }) => ({ path: `${number}-${path}`, file }));
  });
}

/** Files of a file input; with `webkitdirectory` each carries its path from the folder on. */
export function filesOfInput(files: FileList | null): readonly AddedFile[] {
  return [...(files ?? [])].map((file) => ({
    path: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath,
    file,
  }));
}

async function filesOfEntry(entry: FileSystemEntry): Promise<readonly AddedFile[]> {
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => {
      entry.file(resolve, reject);
    });
    return [{ path: entry.fullPath.replace(/^\//, ''), file }];
  }
  if (!isDirectory(entry)) return [];
  const nested = await Promise.all((await entriesOf(entry)).map(filesOfEntry));
  return nested.flat();
}

/** A directory reader hands out about a hundred entries a call, and none at the end. */
async function entriesOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const entries: FileSystemEntry[] = [];
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (batch.length === 0) return entries;
    entries.push(...batch);
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
