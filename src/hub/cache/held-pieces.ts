/** Pieces of files in order: what there is of which, and what is missing between. Pure. */
import { type Piece, pieceName, type StoredPiece } from './range-store';

/** Bytes [start, end), counted from the first one asked for, that the cache does not have. */
export type Gap = readonly [start: number, end: number];

/** A piece, and what is known of it. */
export interface Held {
  readonly piece: StoredPiece;
  /** Its bytes had its hash when they were last read whole. */
  verified: boolean;
}

/** Pieces by file; of those that are known already, what is known of them stays. */
export function indexOf(
  pieces: readonly StoredPiece[],
  known: ReadonlyMap<string, Held>,
): Map<string, Held[]> {
  const index = new Map<string, Held[]>();
  for (const piece of pieces) {
    const held = known.get(nameOf(piece)) ?? { piece, verified: false };
    const others = index.get(piece.key);
    if (others === undefined) index.set(piece.key, [held]);
    else others.push(held);
  }
  return index;
}

/** Unlike any other piece's. */
export function nameOf(piece: Piece): string {
  return `${piece.key}/${pieceName(piece)}`;
}

/** In ms since 1970. */
export function lastWritten(held: readonly Held[]): number {
  return Math.max(...held.map(({ piece }) => piece.writtenAt));
}

/** The piece to go on with at a position: one that holds it and reaches farthest, else the next. */
export function nextPiece(held: readonly Held[], at: number, end: number): Held | null {
  let best: Held | null = null;
  for (const each of held) {
    const { piece } = each;
    if (piece.end <= at || piece.start >= end) continue;
    if (best === null || isBetter(piece, best.piece, at)) best = each;
  }
  return best;
}

function isBetter(piece: Piece, than: Piece, at: number): boolean {
  const [a, b] = [Math.max(piece.start, at), Math.max(than.start, at)];
  return a < b || (a === b && piece.end > than.end);
}

/** Adds [from, to), which lies behind all others, to what is missing. */
export function addGap(gaps: [number, number][], from: number, to: number): void {
  const last = gaps.at(-1);
  if (last?.[1] === from) last[1] = to;
  else gaps.push([from, to]);
}

/** Bytes of all pieces of all files. */
export function bytesOf(index: ReadonlyMap<string, readonly Held[]>): number {
  let bytes = 0;
  for (const held of index.values()) bytes += sizeOf(held);
  return bytes;
}

/** Bytes of all these pieces. */
export function sizeOf(held: readonly Held[]): number {
  return held.reduce((sum, { piece }) => sum + piece.end - piece.start, 0);
}
