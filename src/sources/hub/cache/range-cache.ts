/**
 * Keeps what was fetched, by content: a file is known by its hash, each piece of it by its own. A
 * piece is used only once its bytes were seen to have the hash in its name, so that one cut short,
 * damaged or half written is fetched again, never used.
 */
import { type Piece, type RangeStore, type StoredPiece, StoreFullError } from './range-store';

export interface RangeCacheOptions {
  /** Most bytes kept; default: as many as the store takes. */
  readonly maxBytes?: number;
}

export interface CacheUsage {
  readonly bytes: number;
  readonly files: number;
  /** Whether something was not kept for want of room since this page was opened. */
  readonly full: boolean;
}

/** Bytes [start, end), counted from the first one asked for, that the cache does not have. */
export type Gap = readonly [start: number, end: number];

interface Held {
  readonly piece: StoredPiece;
  /** Its bytes had its hash when they were last read whole. */
  verified: boolean;
  /** Read or written since this page was opened: not given up for others. */
  used: boolean;
}

export class RangeCache {
  readonly #store: RangeStore;
  readonly #maxBytes: number;
  #index: Promise<Map<string, Held[]>> | null = null;
  #full = false;

  constructor(store: RangeStore, { maxBytes = Infinity }: RangeCacheOptions = {}) {
    this.#store = store;
    this.#maxBytes = maxBytes;
  }

  /**
   * Copies what is kept of bytes [start, start + into.length) of a file.
   *
   * @param key names the file by its content
   * @returns what is missing, in order
   */
  async fill(key: string, start: number, into: Uint8Array): Promise<Gap[]> {
    const held = (await this.#pieces()).get(key) ?? [];
    const end = start + into.length;
    const gaps: [number, number][] = [];
    let at = start;
    while (at < end) {
      const next = nextPiece(held, at, end);
      const from = next === null ? end : Math.max(at, next.piece.start);
      if (from > at) addGap(gaps, at - start, from - start);
      at = from;
      if (next === null) break;
      const to = Math.min(end, next.piece.end);
      const bytes = await this.#read(next, at, to);
      if (bytes === null) {
        // Looked for again without it: another piece may hold the same bytes.
        held.splice(held.indexOf(next), 1);
        continue;
      }
      into.set(bytes, at - start);
      at = to;
    }
    return gaps;
  }

  /** Keeps bytes of a file, where there is room; what fails here fails nothing else. */
  async put(key: string, start: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const sha256 = await digest(bytes);
    const piece: Piece = { key, start, end: start + bytes.length, sha256 };
    const index = await this.#pieces();
    if (!(await this.#makeRoom(index, bytes.length, this.#maxBytes))) return;
    try {
      await this.#store.write(piece, bytes);
    } catch (error) {
      if (!(error instanceof StoreFullError)) throw error;
      // Twice the room, for what the store itself takes beside the bytes.
      const most = bytesOf(index) - 2 * bytes.length;
      if (!(await this.#makeRoom(index, 0, Math.max(0, most)))) return;
      const written = await this.#store.write(piece, bytes).then(
        () => true,
        () => false,
      );
      this.#full ||= !written;
      if (!written) return;
    }
    const held = { piece: { ...piece, writtenAt: Date.now() }, verified: true, used: true };
    index.set(key, [...(index.get(key) ?? []), held]);
  }

  async usage(): Promise<CacheUsage> {
    const index = await this.#pieces();
    return { bytes: bytesOf(index), files: index.size, full: this.#full };
  }

  /** Removes everything, what other tabs wrote since included. */
  async clear(): Promise<void> {
    await this.#store.clear();
    this.#index = Promise.resolve(new Map());
    this.#full = false;
  }

  #pieces(): Promise<Map<string, Held[]>> {
    this.#index ??= this.#store.list().then((pieces) => {
      const index = new Map<string, Held[]>();
      for (const piece of pieces) {
        const held = { piece, verified: false, used: false };
        index.set(piece.key, [...(index.get(piece.key) ?? []), held]);
      }
      return index;
    });
    return this.#index;
  }

  /** Bytes [from, to) of the file, from this piece; null, and the piece gone, if it is unsound. */
  async #read(held: Held, from: number, to: number): Promise<Uint8Array | null> {
    const { piece } = held;
    held.used = true;
    const blob = await this.#store.open(piece);
    if (blob?.size === piece.end - piece.start) {
      if (held.verified) {
        const part = blob.slice(from - piece.start, to - piece.start);
        return new Uint8Array(await part.arrayBuffer());
      }
      const whole = new Uint8Array(await blob.arrayBuffer());
      held.verified = (await digest(whole)) === piece.sha256;
      if (held.verified) return whole.subarray(from - piece.start, to - piece.start);
    }
    if (blob !== null) await this.#store.remove(piece);
    return null;
  }

  /**
   * Gives up pieces that were not used since this page was opened, oldest first, until no more
   * than `most` bytes are kept beside those to come.
   *
   * @returns whether there is room now
   */
  async #makeRoom(index: Map<string, Held[]>, coming: number, most: number): Promise<boolean> {
    let kept = bytesOf(index) + coming;
    const unused = [...index.values()].flat().filter(({ used }) => !used);
    unused.sort((a, b) => a.piece.writtenAt - b.piece.writtenAt);
    for (const held of unused) {
      if (kept <= most) break;
      const { key, start, end } = held.piece;
      await this.#store.remove(held.piece);
      kept -= end - start;
      const others = index.get(key)!.filter((other) => other !== held);
      if (others.length > 0) index.set(key, others);
      else index.delete(key);
    }
    const hasRoom = kept <= most;
    this.#full ||= !hasRoom;
    return hasRoom;
  }
}

/** The piece to go on with at a position: one that holds it and reaches farthest, else the next. */
function nextPiece(held: readonly Held[], at: number, end: number): Held | null {
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

function addGap(gaps: [number, number][], from: number, to: number): void {
  const last = gaps.at(-1);
  if (last?.[1] === from) last[1] = to;
  else gaps.push([from, to]);
}

function bytesOf(index: ReadonlyMap<string, readonly Held[]>): number {
  let bytes = 0;
  for (const held of index.values()) {
    for (const { piece } of held) bytes += piece.end - piece.start;
  }
  return bytes;
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
