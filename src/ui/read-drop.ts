/** Files of a drop, folders opened to their last level. */
import { type LocalFile } from '@/store/sources/state';

/**
 * Every file of the drop with its path from the dropped item on.
 *
 * @throws DOMException where the browser may not read a dropped file
 */
export async function filesOfDrop(transfer: DataTransfer): Promise<readonly LocalFile[]> {
  // Both lists empty themselves once this task ends: entries are taken before the first await.
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const loose = entries.length > 0 ? [] : filesOfInput(transfer.files);
  const nested = await Promise.all(entries.map(filesOfEntry));
  return [...loose, ...nested.flat()];
}

/** Files of a file input; with `webkitdirectory` each carries its path from the folder on. */
export function filesOfInput(files: FileList | null): readonly LocalFile[] {
  return [...(files ?? [])].map((file) => ({
    path: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath,
    file,
  }));
}

async function filesOfEntry(entry: FileSystemEntry): Promise<readonly LocalFile[]> {
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
