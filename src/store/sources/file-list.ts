/** The visitor's files as one list that grows and shrinks. Pure. */
import { type LocalFile } from './state';

/** One checkpoint's worth of files, as listed for removal. */
export interface FileSet {
  /** The folder they lie in, or the file's own path where there is none. */
  readonly root: string;
  readonly fileCount: number;
  readonly byteLength: number;
}

/**
 * Adds files to those there. A file already there (same path, size and time) is not added twice;
 * a batch whose paths collide with other files moves into a folder of its own, so that two
 * repos' `model.safetensors` can be added one after the other.
 */
export function addToList(
  present: readonly LocalFile[],
  added: readonly LocalFile[],
): readonly LocalFile[] {
  const known = new Map(present.map((entry) => [entry.path, entry]));
  const fresh = added.filter((entry) => !isSameFile(known.get(entry.path), entry));
  if (!fresh.some((entry) => known.has(entry.path))) return [...present, ...fresh];
  for (let number = 2; ; number++) {
    const moved = fresh.map(({ path, file }) => ({ path: `added-${number}/${path}`, file }));
    const clashing = moved.filter((entry) => known.has(entry.path));
    if (clashing.length === 0) return [...present, ...moved];
    if (clashing.every((entry) => isSameFile(known.get(entry.path), entry))) return present;
  }
}

/** Drops a set: the file of that path, or every file under that folder. */
export function removeFromList(present: readonly LocalFile[], root: string): readonly LocalFile[] {
  return present.filter(({ path }) => setOf(path) !== root);
}

/** The sets in the order in which they were added. */
export function fileSets(present: readonly LocalFile[]): readonly FileSet[] {
  const sets = new Map<string, FileSet>();
  for (const { path, file } of present) {
    const root = setOf(path);
    const before = sets.get(root) ?? { root, fileCount: 0, byteLength: 0 };
    sets.set(root, {
      root,
      fileCount: before.fileCount + 1,
      byteLength: before.byteLength + file.size,
    });
  }
  return [...sets.values()];
}

function setOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? path : path.slice(0, slash);
}

function isSameFile(a: LocalFile | undefined, b: LocalFile): boolean {
  return (
    a !== undefined &&
    a.file.size === b.file.size &&
    a.file.lastModified === b.file.lastModified &&
    a.file.name === b.file.name
  );
}
