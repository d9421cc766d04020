/** A folder in memory, for tests: what `ExportFolder` promises, and files that can be spoiled. */
import { type ExportFolder, type OpenFile } from './file-sink';

export interface MemoryFolder extends ExportFolder {
  /** Bytes of the closed files, by path, in the order they were made. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** Paths of files that are open. */
  readonly openPaths: ReadonlySet<string>;
}

export function memoryFolder(): MemoryFolder {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const openPaths = new Set<string>();
  return {
    files,
    openPaths,
    create: (path) => {
      if (files.has(path) || openPaths.has(path)) throw new Error(`${path} was made twice.`);
      openPaths.add(path);
      return Promise.resolve(
        memoryFile((bytes) => {
          openPaths.delete(path);
          files.set(path, bytes);
        }),
      );
    },
    open: (path) => {
      const bytes = files.get(path);
      if (bytes === undefined) throw new Error(`${path} is not there.`);
      return Promise.resolve(new Blob([bytes]));
    },
  };
}

function memoryFile(onClose: (bytes: Uint8Array<ArrayBuffer>) => void): OpenFile {
  const parts: { readonly bytes: Uint8Array<ArrayBuffer>; readonly at: number }[] = [];
  return {
    write: (bytes, at) => {
      // A sink may not hold on to what it was given.
      parts.push({ bytes: bytes.slice(), at });
    },
    close: () => {
      const size = parts.reduce((end, { bytes, at }) => Math.max(end, at + bytes.length), 0);
      const file = new Uint8Array(size);
      for (const { bytes, at } of parts) file.set(bytes, at);
      onClose(file);
    },
  };
}
