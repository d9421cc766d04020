/** Exports in memory, for tests: a disk of any size, which tells what is left on it. */
import { type OpenFile } from '@/export/file-sink';
import { outOfDisk } from '@/jobs/context/disk-room';
import { type ExportStore, type StagingFolder } from '@/jobs/context/export-store';

export interface MemoryStore extends ExportStore {
  /** Bytes of every file of every folder, by path; a later folder's stand for an earlier one's. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** Folders that were made and not removed. */
  readonly folderCount: number;
}

export interface MemoryDisk {
  /** What it holds; default: everything. */
  readonly capacityBytes?: number;
  /** What it says is free; default: what is; null where it does not tell. */
  readonly toldBytes?: number | null;
  /** Called with each write, before it. */
  readonly onWrite?: (path: string, at: number) => void;
  /** Spoils what is written. */
  readonly spoil?: (bytes: Uint8Array<ArrayBuffer>, path: string) => void;
}

export function memoryStore(disk: MemoryDisk = {}): MemoryStore {
  const folders = new Set<Map<string, Uint8Array<ArrayBuffer>>>();
  const left = new Set<Map<string, Uint8Array<ArrayBuffer>>>();
  const used = (): number =>
    [...folders]
      .flatMap((files) => [...files.values()])
      .reduce((sum, { length }) => sum + length, 0);
  const { capacityBytes = Infinity } = disk;
  const free = (): number => capacityBytes - used();
  return {
    get files() {
      return new Map([...folders].flatMap((files) => [...files]));
    },
    get folderCount() {
      return folders.size;
    },
    create: () => {
      const files = new Map<string, Uint8Array<ArrayBuffer>>();
      folders.add(files);
      const onRemove = (): unknown => folders.delete(files);
      const onLeave = (): unknown => left.add(files);
      return Promise.resolve(memoryFolder(files, { ...disk, free, onRemove, onLeave }));
    },
    sweep: () => {
      for (const files of left) folders.delete(files);
      return Promise.resolve();
    },
    freeBytes: () => Promise.resolve(disk.toldBytes === undefined ? free() : disk.toldBytes),
  };
}

interface Place extends MemoryDisk {
  readonly free: () => number;
  readonly onRemove: () => unknown;
  readonly onLeave: () => unknown;
}

function memoryFolder(files: Map<string, Uint8Array<ArrayBuffer>>, place: Place): StagingFolder {
  return {
    create: (path) => {
      if (files.has(path)) throw new Error(`${path} was made twice.`);
      files.set(path, new Uint8Array(0));
      return Promise.resolve(memoryFile(path, files, place));
    },
    open: (path) => {
      const bytes = files.get(path);
      if (bytes === undefined) throw new Error(`${path} is not there.`);
      return Promise.resolve(new File([bytes], path.slice(path.lastIndexOf('/') + 1)));
    },
    remove: () => {
      place.onRemove();
      return Promise.resolve();
    },
    leave: () => {
      place.onLeave();
      return Promise.resolve();
    },
  };
}

function memoryFile(
  path: string,
  files: Map<string, Uint8Array<ArrayBuffer>>,
  { free, onWrite, spoil }: Place,
): OpenFile {
  return {
    write: (bytes, at) => {
      onWrite?.(path, at);
      const before = files.get(path)!;
      const size = Math.max(before.length, at + bytes.length);
      const more = size - before.length;
      if (more > free()) throw outOfDisk(path, { at: before.length, more }, free());
      const after = new Uint8Array(size);
      after.set(before);
      const written = bytes.slice();
      spoil?.(written, path);
      after.set(written, at);
      files.set(path, after);
    },
    close: () => undefined,
  };
}
