/** Pieces of files in the browser's private file system (OPFS), a folder a file. */
import {
  type Mark,
  markName,
  parseMarkName,
  parsePieceName,
  type Piece,
  pieceName,
  type RangeStore,
  type StoredPiece,
  StoreFullError,
} from '@/hub/cache/range-store';

/** Another layout takes another name; the old one is removed. */
const FOLDER = 'hub-files-1';

/** Null where the browser has no such file system, or keeps none (private windows). */
export async function openOpfsStore(folder = FOLDER): Promise<RangeStore | null> {
  try {
    const root = await navigator.storage.getDirectory();
    return opfsStore(await root.getDirectoryHandle(folder, { create: true }));
  } catch {
    return null;
  }
}

function opfsStore(root: FileSystemDirectoryHandle): RangeStore {
  return {
    list: () => listPieces(root),
    open: (piece) =>
      unlessGone(async () => {
        const folder = await root.getDirectoryHandle(piece.key);
        return (await folder.getFileHandle(pieceName(piece))).getFile();
      }),
    write: (piece, bytes) => writePiece(root, piece, bytes),
    remove: async (piece) => {
      await unlessGone(async () => {
        const folder = await root.getDirectoryHandle(piece.key);
        await folder.removeEntry(pieceName(piece));
        // What another tab is writing has its name already.
        for await (const name of folder.keys()) {
          if (parsePieceName(piece.key, name) !== null) return;
        }
        await root.removeEntry(piece.key, { recursive: true });
      });
    },
    removeFile: async (key) => {
      await unlessGone(() => root.removeEntry(key, { recursive: true }));
    },
    marks: () => listMarks(root),
    mark: async (key, label) => {
      await unlessGone(async () => {
        const folder = await root.getDirectoryHandle(key);
        const handle = await folder.getFileHandle(markName(label), { create: true });
        // An empty file written anew: its time is what counts.
        await (await handle.createWritable()).close();
      });
    },
    unmark: async (key, label) => {
      await unlessGone(async () => {
        const folder = await root.getDirectoryHandle(key);
        await folder.removeEntry(markName(label));
      });
    },
    alone: (work) => navigator.locks.request(`peru ${root.name}`, work),
    clear: () => removeAll(root),
  };
}

async function listPieces(root: FileSystemDirectoryHandle): Promise<StoredPiece[]> {
  const found: StoredPiece[] = [];
  for await (const [key, folder] of root.entries()) {
    if (!(folder instanceof FileSystemDirectoryHandle)) continue;
    for await (const [name, entry] of folder.entries()) {
      const piece = parsePieceName(key, name);
      if (piece === null || !(entry instanceof FileSystemFileHandle)) continue;
      const file = await unlessGone(() => entry.getFile());
      // Empty while it is being written, or for ever where its tab was closed over it.
      if (file?.size !== piece.end - piece.start) continue;
      found.push({ ...piece, writtenAt: file.lastModified });
    }
  }
  return found;
}

async function listMarks(root: FileSystemDirectoryHandle): Promise<Mark[]> {
  const found: Mark[] = [];
  for await (const [key, folder] of root.entries()) {
    if (!(folder instanceof FileSystemDirectoryHandle)) continue;
    for await (const [name, entry] of folder.entries()) {
      const label = parseMarkName(name);
      if (label === null || !(entry instanceof FileSystemFileHandle)) continue;
      const file = await unlessGone(() => entry.getFile());
      if (file !== null) found.push({ key, label, usedAt: file.lastModified });
    }
  }
  return found;
}

async function removeAll(root: FileSystemDirectoryHandle): Promise<void> {
  const names: string[] = [];
  for await (const name of root.keys()) names.push(name);
  for (const name of names) {
    await unlessGone(() => root.removeEntry(name, { recursive: true }));
  }
}

/** What is written comes under its name only when the stream is closed, all at once. */
async function writePiece(
  root: FileSystemDirectoryHandle,
  piece: Piece,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  try {
    const folder = await root.getDirectoryHandle(piece.key, { create: true });
    const handle = await folder.getFileHandle(pieceName(piece), { create: true });
    const stream = await handle.createWritable();
    try {
      await stream.write(bytes);
      await stream.close();
    } catch (error) {
      await stream.abort().catch(() => undefined);
      await folder.removeEntry(pieceName(piece)).catch(() => undefined);
      throw error;
    }
  } catch (cause) {
    throw isFull(cause) ? new StoreFullError('The browser gives no more room.', { cause }) : cause;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError';
}

/** Another tab may remove what this one looks at. */
async function unlessGone<T>(look: () => Promise<T>): Promise<T | null> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotFoundError') return null;
    throw error;
  }
}
