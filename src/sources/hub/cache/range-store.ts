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
  remove(piece: Piece): Promise<void>;
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
