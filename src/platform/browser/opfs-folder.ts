/**
 * Exports in the browser's private file system (OPFS): `exports/<random id>/…`. A lock named
 * after the id is held while this worker lives, so that the next export can tell what a closed tab
 * has left and remove it.
 */
import { type OpenFile } from '@/export/file-sink';
import { freeDiskBytes } from './free-disk';
import { PeruError } from '@/core/errors';
import { isOutOfRoom, outOfDisk } from '@/jobs/context/disk-room';
import { type ExportStore, type StagingFolder } from '@/jobs/context/export-store';
import { exportLock, EXPORTS, holdLock } from './export-locks';

/** Only dedicated workers have it, so the page's types do not. */
interface SyncHandle {
  write(bytes: Uint8Array, options: { readonly at: number }): number;
  getSize(): number;
  flush(): void;
  close(): void;
}

interface WorkerFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<SyncHandle>;
}

/** @param name of the folder that holds all exports */
export function opfsStore(name = EXPORTS): ExportStore {
  return {
    create: () => createFolder(name),
    sweep: () => sweep(name),
    freeBytes: freeDiskBytes,
  };
}

async function rootFolder(name: string): Promise<FileSystemDirectoryHandle> {
  try {
    const root = await navigator.storage.getDirectory();
    return await root.getDirectoryHandle(name, { create: true });
  } catch (cause) {
    throw new PeruError(
      'unsupported',
      'This browser keeps no files for pages, so there is no place to make an export.',
      'Use a window that is not private, or another browser, and try again.',
      { cause },
    );
  }
}

async function createFolder(name: string): Promise<StagingFolder> {
  const root = await rootFolder(name);
  const id = crypto.randomUUID();
  const release = await holdLock(exportLock(name, id));
  try {
    const folder = await root.getDirectoryHandle(id, { create: true });
    return new OpfsFolder(root, folder, release);
  } catch (error) {
    await release();
    throw isOutOfRoom(error)
      ? outOfDisk('the export', { at: 0, more: 0 }, await freeDiskBytes(), error)
      : error;
  }
}

async function sweep(name: string): Promise<void> {
  const root = await rootFolder(name);
  const ids: string[] = [];
  for await (const id of root.keys()) ids.push(id);
  for (const id of ids) {
    await navigator.locks.request(exportLock(name, id), { ifAvailable: true }, async (lock) => {
      if (lock === null) return;
      // Another tab may be sweeping too.
      await root.removeEntry(id, { recursive: true }).catch(() => undefined);
    });
  }
}

/** Less was written than was handed over. */
class ShortWrite extends Error {}

async function withRoom<T>(
  path: string,
  place: { readonly at: number; readonly more: number },
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ShortWrite) && !isOutOfRoom(error)) throw error;
    throw outOfDisk(path, place, await freeDiskBytes(), error);
  }
}

class OpfsFolder implements StagingFolder {
  readonly #root: FileSystemDirectoryHandle;
  readonly #folder: FileSystemDirectoryHandle;
  readonly #release: () => Promise<void>;
  readonly #open = new Map<string, SyncHandle>();
  #isGivenUp = false;

  constructor(
    root: FileSystemDirectoryHandle,
    folder: FileSystemDirectoryHandle,
    release: () => Promise<void>,
  ) {
    this.#root = root;
    this.#folder = folder;
    this.#release = release;
  }

  async create(path: string): Promise<OpenFile> {
    const handle = await withRoom(path, { at: 0, more: 0 }, () => this.#openHandle(path));
    let end = 0;
    let failed = false;
    return {
      write: async (bytes, at) => {
        failed = true;
        await withRoom(path, { at: end, more: bytes.length }, () => {
          // Full disks show as a short count in some browsers, and as a huge one in others.
          if (handle.write(bytes, { at }) !== bytes.length) throw new ShortWrite();
        });
        failed = false;
        end = Math.max(end, at + bytes.length);
      },
      close: async () => {
        if (this.#open.get(path) !== handle) return;
        try {
          // A file that failed has said so, and will be removed.
          if (failed) return;
          await withRoom(path, { at: end, more: 0 }, () => {
            handle.flush();
            if (handle.getSize() !== end) throw new ShortWrite();
          });
        } finally {
          this.#closeFile(path);
        }
      },
    };
  }

  async open(path: string): Promise<File> {
    try {
      const { folder, name } = await this.#locate(path, false);
      return await (await folder.getFileHandle(name)).getFile();
    } catch (cause) {
      throw new PeruError(
        'source',
        `${path} is not on this disk any more.`,
        'Export again: the browser, or another tab, has removed the files.',
        { cause },
      );
    }
  }

  async remove(): Promise<void> {
    if (this.#isGivenUp) return;
    this.#isGivenUp = true;
    for (const path of [...this.#open.keys()]) this.#closeFile(path);
    await this.#removeEntry();
    await this.#release();
  }

  async leave(): Promise<void> {
    if (this.#isGivenUp) return;
    this.#isGivenUp = true;
    await this.#release();
  }

  async #openHandle(path: string): Promise<SyncHandle> {
    const { folder, name } = await this.#locate(path, true);
    const file = (await folder.getFileHandle(name, { create: true })) as WorkerFileHandle;
    const handle = await file.createSyncAccessHandle();
    if (this.#isGivenUp) {
      handle.close();
      // While it was being opened its folder could not be removed.
      await this.#removeEntry();
      throw new DOMException('The export was given up.', 'AbortError');
    }
    this.#open.set(path, handle);
    return handle;
  }

  /** What can not be removed now goes with the next sweep, once the lock is given back. */
  async #removeEntry(): Promise<void> {
    await this.#root.removeEntry(this.#folder.name, { recursive: true }).catch(() => undefined);
  }

  #closeFile(path: string): void {
    this.#open.get(path)?.close();
    this.#open.delete(path);
  }

  async #locate(
    path: string,
    create: boolean,
  ): Promise<{ readonly folder: FileSystemDirectoryHandle; readonly name: string }> {
    const parts = path.split('/');
    const name = parts.pop()!;
    let folder = this.#folder;
    for (const part of parts) folder = await folder.getDirectoryHandle(part, { create });
    return { folder, name };
  }
}
