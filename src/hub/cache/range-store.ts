/** Where pieces of files are kept between visits: a flat store of named bytes, and nothing more. */

/** Bytes [start, end) of a file, under the hash that they must have. */
export interface Piece {
  /** Names the file by its content. */
  readonly key: string;
  readonly start: number;
  readonly end: number;
  /** SHA-256 of the piece in hex. */
  readonly sha256: string;
}

/** A piece found in a store; whether its bytes are what its name says is yet to be seen. */
export interface StoredPiece extends Piece {
  /** In ms since 1970. */
  readonly writtenAt: number;
}

/** That a file was of use, and to whom: what eviction and people go by. */
export interface Mark {
  /** Names the file by its content. */
  readonly key: string;
  /** The repo it was read for. */
  readonly label: string;
  /** In ms since 1970. */
  readonly usedAt: number;
}

export interface RangeStore {
  /** Pieces of the length that their names say. */
  list(): Promise<StoredPiece[]>;
  /** Null when the piece is gone: another tab may have cleared the store. */
  open(piece: Piece): Promise<Blob | null>;
  /**
   * All of the bytes or none of them.
   *
   * @throws StoreFullError when there is no room
   */
  write(piece: Piece, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** With its last piece a file's marks go too. */
  remove(piece: Piece): Promise<void>;
  /** Removes all pieces and marks of a file. */
  removeFile(key: string): Promise<void>;
  marks(): Promise<Mark[]>;
  /** Says that a file is of use now; nothing happens where none of it is kept. */
  mark(key: string, label: string): Promise<void>;
  unmark(key: string, label: string): Promise<void>;
  /** Runs work while no other tab runs such work on the same store. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** Removes everything, leftovers included. */
  clear(): Promise<void>;
}

/** The disk is full, or the browser gives this page no more of it. */
export class StoreFullError extends Error {}

const NAME = /^(\d{1,16})-(\d{1,16})-([0-9a-f]{64})$/;

/** The name of a piece within its file's folder. */
export function pieceName({ start, end, sha256 }: Piece): string {
  return `${start}-${end}-${sha256}`;
}

/** Null for anything that is no piece. */
export function parsePieceName(key: string, name: string): Piece | null {
  const [, start, end, sha256] = NAME.exec(name) ?? [];
  if (sha256 === undefined) return null;
  return { key, start: Number(start), end: Number(end), sha256 };
}

/** The name of a mark within its file's folder: repos hold no `--` in either part. */
export function markName(label: string): string {
  return `for-${label.replace('/', '--')}`;
}

/** The repo that a mark names; null for anything that is no mark. */
export function parseMarkName(name: string): string | null {
  if (!name.startsWith('for-')) return null;
  const text = name.slice('for-'.length);
  const at = text.lastIndexOf('--');
  return at < 0 ? text : `${text.slice(0, at)}/${text.slice(at + 2)}`;
}
