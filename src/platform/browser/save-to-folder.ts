/** Copies an export into a folder that the visitor chose, inside a new folder of its own. */
import { PeruError } from '@/core/errors';
import { type ExportedFile } from '@/protocol/export-facts';
import { type JobContext } from '@/jobs/context/job-context';
import { ByteProgress } from '@/jobs/context/byte-progress';
import { isOutOfRoom } from '@/jobs/context/disk-room';
import { type StagedExport } from '@/jobs/context/export-store';

const FOLDER = 'peru-export';
/** Copies that may lie side by side before a visitor is asked to tidy up. */
const MAX_COPIES = 1000;
const PIECE_BYTES = 4 * 1024 * 1024;

/**
 * Copies every file into `peru-export`, or `peru-export-2`, … where that name is taken: nothing of
 * the visitor's is touched. Failed or cancelled, the new folder goes again where it may.
 *
 * @returns name of the new folder
 * @throws PeruError `not-saved` when the folder is gone or may not be written to, `out-of-disk`;
 *   the signal's reason once aborted
 */
export async function saveToFolder(
  staged: StagedExport,
  chosen: FileSystemDirectoryHandle,
  { emit, signal }: JobContext,
): Promise<string> {
  const progress = new ByteProgress(
    emit,
    staged.files.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  const copy = await writing(chosen.name, () => newFolder(chosen));
  try {
    for (const file of staged.files) {
      signal.throwIfAborted();
      progress.stage(`Saving ${file.path}`);
      await copyFile(staged, file, { folder: copy, signal, onBytes: progress.add });
    }
    return copy.name;
  } catch (error) {
    await chosen.removeEntry(copy.name, { recursive: true }).catch(() => undefined);
    throw error;
  }
}

async function newFolder(chosen: FileSystemDirectoryHandle): Promise<FileSystemDirectoryHandle> {
  for (let copy = 1; copy <= MAX_COPIES; copy++) {
    const name = copy === 1 ? FOLDER : `${FOLDER}-${copy}`;
    if (await isFree(chosen, name)) return chosen.getDirectoryHandle(name, { create: true });
  }
  throw new PeruError(
    'not-saved',
    `The folder ${chosen.name} holds ${MAX_COPIES} exports already.`,
    'Choose another folder, or remove exports that you do not need.',
  );
}

async function isFree(folder: FileSystemDirectoryHandle, name: string): Promise<boolean> {
  try {
    await folder.getDirectoryHandle(name);
    return false;
  } catch (error) {
    if (isNamed(error, 'NotFoundError')) return true;
    // A file has the name.
    if (isNamed(error, 'TypeMismatchError')) return false;
    throw error;
  }
}

interface Copy {
  readonly folder: FileSystemDirectoryHandle;
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/** What is written comes under its name only when the stream is closed, all at once. */
async function copyFile(
  staged: StagedExport,
  { path, bytes }: ExportedFile,
  { folder, signal, onBytes }: Copy,
): Promise<void> {
  const source = await staged.open(path);
  const handle = await writing(path, () => newFile(folder, path));
  const stream = await writing(path, () => handle.createWritable());
  try {
    for (let at = 0; at < bytes; at += PIECE_BYTES) {
      signal.throwIfAborted();
      const piece = await source.slice(at, Math.min(bytes, at + PIECE_BYTES)).arrayBuffer();
      await writing(path, () => stream.write(piece));
      onBytes(piece.byteLength);
    }
    signal.throwIfAborted();
    await writing(path, () => stream.close());
  } catch (error) {
    await stream.abort().catch(() => undefined);
    throw error;
  }
  const { size } = await writing(path, () => handle.getFile());
  if (size !== bytes) throw cutShort(path, size, bytes);
}

async function newFile(
  root: FileSystemDirectoryHandle,
  path: string,
): Promise<FileSystemFileHandle> {
  const parts = path.split('/');
  const name = parts.pop()!;
  let folder = root;
  for (const part of parts) folder = await folder.getDirectoryHandle(part, { create: true });
  return folder.getFileHandle(name, { create: true });
}

/** Says of what fails what the visitor can do about it. */
async function writing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof DOMException ? notSaved(what, cause) : cause;
  }
}

function notSaved(what: string, cause: DOMException): PeruError {
  if (isOutOfRoom(cause)) {
    return new PeruError(
      'out-of-disk',
      `The disk that you chose has no room for ${what}.`,
      'Free space on it or choose a folder on another disk, and save again: the export itself is kept.',
      { cause },
    );
  }
  if (isNamed(cause, 'NotAllowedError')) {
    return new PeruError(
      'not-saved',
      `The browser may not write ${what}: it was not allowed to change that folder, or is not any more.`,
      'Save again, and allow this page to change the folder when the browser asks.',
      { cause },
    );
  }
  if (isNamed(cause, 'NotFoundError')) {
    return new PeruError(
      'not-saved',
      `${what} could not be written: the folder is not where it was.`,
      'Choose a folder that is there, on a disk that is connected, and save again.',
      { cause },
    );
  }
  return new PeruError(
    'not-saved',
    `${what} could not be written: ${cause.message}`,
    'Choose another folder and save again, or download the files one by one.',
    { cause },
  );
}

function cutShort(path: string, size: number, bytes: number): PeruError {
  return new PeruError(
    'not-saved',
    `${path} was cut short: ${size} of ${bytes} bytes stand on the disk.`,
    'Look whether the disk is full or failing, and save again.',
  );
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof DOMException && error.name === name;
}
