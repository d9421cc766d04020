/** The visitor's files as one list that grows and shrinks. */
import { compareNames } from '@/core/name-order';
import { sameBytes } from './same-bytes';
import { type AddedFile } from '@/store/state/sources';

/** One checkpoint's worth of files, as listed for removal. */
export interface FileSet {
  /** The folder they lie in, or the file's own path where there is none. */
  readonly root: string;
  readonly fileCount: number;
  readonly byteLength: number;
}

/** Whether some of the files would take the place of others in the list. */
export function clash(present: readonly AddedFile[], added: readonly AddedFile[]): boolean {
  const paths = new Set(present.map(({ path }) => path));
  return added.some(({ path }) => paths.has(path));
}

/**
 * Adds files to those there. A batch whose paths are taken moves into a folder of its own, as a
 * whole, so that two repos' `model.safetensors` can be added one after the other. A folder that was
 * added before, byte by byte, is the same folder: only what is new in it is added. Neither size nor
 * date says that two files are one: archives give all their files one date.
 *
 * @throws DOMException when a file can no longer be read
 */
export async function addToList(
  present: readonly AddedFile[],
  added: readonly AddedFile[],
): Promise<readonly AddedFile[]> {
  const known = new Map(present.map(({ path, file }) => [path, file]));
  for (let number = 1; ; number++) {
    const moved = number === 1 ? added : added.map((entry) => inFolder(`added-${number}`, entry));
    const fresh = moved.filter(({ path }) => !known.has(path));
    const isFree = fresh.length === moved.length;
    if (isFree || (await isAddedAgain(known, moved))) return [...present, ...fresh];
  }
}

/** Whether all files at taken paths, in folders of their own, are the files there. */
async function isAddedAgain(
  known: ReadonlyMap<string, File>,
  added: readonly AddedFile[],
): Promise<boolean> {
  for (const { path, file } of added) {
    const there = known.get(path);
    if (there === undefined) continue;
    // Loose files of different models are called alike, and some of them are.
    if (!pathAsAdded(path).includes('/') || !(await sameBytes(there, file))) return false;
  }
  return true;
}

function inFolder(folder: string, { path, file }: AddedFile): AddedFile {
  return { path: `${folder}/${path}`, file };
}

function pathAsAdded(path: string): string {
  return path.replace(/^added-\d+\//, '');
}

/** Drops a set: the file of that path, or every file under that folder. */
export function removeFromList(present: readonly AddedFile[], root: string): readonly AddedFile[] {
  return present.filter(({ path }) => setOf(path) !== root);
}

/** The sets in the order of their names, as tasks are listed too. */
export function fileSets(present: readonly AddedFile[]): readonly FileSet[] {
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
  return [...sets.values()].sort((one, other) => compareNames(one.root, other.root));
}

function setOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? path : path.slice(0, slash);
}
