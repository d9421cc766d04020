/** A worker that stages exports on disk, for tests: only workers may write there. */
import { expose } from 'comlink';
import { type ErrorFacts, errorFacts } from '@/core/errors';
import { type StagingFolder } from '@/jobs/context/export-store';
import { opfsStore } from './opfs-folder';

/** What a full disk does to a write, in one browser or another. */
export type DiskFault = 'short' | 'huge' | 'quota' | 'flush';

interface Handle {
  write(bytes: Uint8Array, options: { at: number }): number;
  flush(): void;
}

const folders: StagingFolder[] = [];

const worker = {
  async create(store: string): Promise<number> {
    return folders.push(await opfsStore(store).create()) - 1;
  },
  /** Writes parts and closes, unless told to leave the file open. */
  async write(
    folder: number,
    path: string,
    parts: readonly { readonly bytes: Uint8Array<ArrayBuffer>; readonly at: number }[],
    leaveOpen = false,
  ): Promise<ErrorFacts | null> {
    try {
      const file = await folders[folder]!.create(path);
      for (const { bytes, at } of parts) await file.write(bytes, at);
      if (!leaveOpen) await file.close();
      return null;
    } catch (error) {
      return errorFacts(error);
    }
  },
  read: (folder: number, path: string): Promise<File> => folders[folder]!.open(path),
  remove: (folder: number): Promise<void> => folders[folder]!.remove(),
  sweep: (store: string): Promise<void> => opfsStore(store).sweep(),
  freeBytes: (store: string): Promise<number | null> => opfsStore(store).freeBytes(),
  /** From now on the disk is full. */
  fill(fault: DiskFault): void {
    const { FileSystemSyncAccessHandle: type } = globalThis as unknown as {
      FileSystemSyncAccessHandle: { prototype: Handle };
    };
    const full = (): never => {
      throw new DOMException('No room.', 'QuotaExceededError');
    };
    const faults: Record<DiskFault, Partial<Handle>> = {
      short: { write: (bytes) => bytes.length - 1 },
      huge: { write: () => 4_294_967_288 },
      quota: { write: full },
      flush: { flush: full },
    };
    Object.assign(type.prototype, faults[fault]);
  },
};

export type OpfsWorker = typeof worker;
expose(worker);
