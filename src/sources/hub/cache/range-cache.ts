/**
 * Keeps what was fetched, by content: a file is known by its hash, each piece of it by its own. A
 * piece is used only once its bytes were seen to have the hash in its name, so that one cut short,
 * damaged or half written is fetched again, never used.
 */
import {
  type Piece,
  pieceName,
  type RangeStore,
  type StoredPiece,
  StoreFullError,
} from './range-store';

export interface RangeCacheOptions {
  /** Most bytes kept; default: as many as the store takes. */
  readonly maxBytes?: number;
  /** Called once, when something is not kept for want of room. */
  readonly onFull?: () => void;
}

export interface CacheUsage {
  readonly bytes: number;
  readonly files: number;
  /** Whether something was not kept for want of room since this page was opened. */
  readonly full: boolean;
}

/** What is kept for one repo. */
export interface KeptRepo {
  /** `owner/name`; empty for what is known of no repo. */
  readonly repo: string;
  readonly bytes: number;
  /** In ms since 1970. */
  readonly usedAt: number;
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
  readonly #onFull: () => void;
  readonly #marked = new Set<string>();
  #index: Promise<Map<string, Held[]>> | null = null;
  #full = false;

  constructor(store: RangeStore, options: RangeCacheOptions = {}) {
    this.#store = store;
    this.#maxBytes = options.maxBytes ?? Infinity;
    this.#onFull = options.onFull ?? (() => undefined);
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
        // Another read may have met the same piece, and dropped it, meanwhile.
        const at = held.indexOf(next);
        if (at >= 0) held.splice(at, 1);
        continue;
      }
      into.set(bytes, at - start);
      at = to;
    }
    return gaps;
  }

  /**
   * How many of bytes [start, end) of a file are kept. Nothing is read: a piece that turns out to be
   * unsound counts until it is used.
   */
  async kept(key: string, start: number, end: number): Promise<number> {
    const held = (await this.#pieces()).get(key) ?? [];
    let bytes = 0;
    let at = start;
    while (at < end) {
      const next = nextPiece(held, at, end);
      if (next === null) break;
      const to = Math.min(end, next.piece.end);
      bytes += to - Math.max(at, next.piece.start);
      at = to;
    }
    return bytes;
  }

  /** Remembers that a file is of use to a repo, and when. What fails here fails nothing else. */
  async use(key: string, repo: string): Promise<void> {
    const name = `${key} ${repo}`;
    const isKept = (await this.#pieces()).has(key);
    if (!isKept || this.#marked.has(name)) return;
    this.#marked.add(name);
    await this.#store.mark(key, repo).catch(() => undefined);
  }

  /** Keeps bytes of a file, where there is room; what fails here fails nothing else. */
  async put(key: string, start: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const sha256 = await digest(bytes);
    const piece: Piece = { key, start, end: start + bytes.length, sha256 };
    const index = await this.#pieces();
    if (!(await this.#makeRoom(bytes.length, this.#maxBytes))) return;
    try {
      await this.#store.write(piece, bytes);
    } catch (error) {
      if (!(error instanceof StoreFullError)) throw error;
      // Twice the room, for what the store itself takes beside the bytes.
      const most = bytesOf(index) - 2 * bytes.length;
      if (!(await this.#makeRoom(0, Math.max(0, most)))) return;
      const written = await this.#store.write(piece, bytes).then(
        () => true,
        () => false,
      );
      if (!written) {
        this.#noteFull();
        return;
      }
    }
    const held = { piece: { ...piece, writtenAt: Date.now() }, verified: true, used: true };
    // Another tab may have written the same, and a look around have found it.
    const others = (index.get(key) ?? []).filter((other) => nameOf(other.piece) !== nameOf(piece));
    index.set(key, [...others, held]);
  }

  async usage(): Promise<CacheUsage> {
    const index = await this.#pieces();
    return { bytes: bytesOf(index), files: index.size, full: this.#full };
  }

  /** What is kept for each repo, the largest first. Files of several repos count for each. */
  async byRepo(): Promise<KeptRepo[]> {
    const [index, marks] = await Promise.all([this.#pieces(), this.#store.marks()]);
    const repos = new Map<string, KeptRepo>();
    const count = (key: string, repo: string, usedAt: number): void => {
      const before = repos.get(repo) ?? { repo, bytes: 0, usedAt: 0 };
      const bytes = before.bytes + sizeOf(index.get(key) ?? []);
      repos.set(repo, { repo, bytes, usedAt: Math.max(before.usedAt, usedAt) });
    };
    for (const { key, label, usedAt } of marks) if (index.has(key)) count(key, label, usedAt);
    const known = new Set(marks.map(({ key }) => key));
    for (const [key, held] of index) if (!known.has(key)) count(key, '', lastWritten(held));
    return [...repos.values()].sort((a, b) => b.bytes - a.bytes);
  }

  /** Removes what is kept for a repo; files that another repo has too stay. */
  async removeRepo(repo: string): Promise<void> {
    const [index, marks] = await Promise.all([this.#pieces(), this.#store.marks()]);
    const labelsOf = (key: string): string[] =>
      marks.filter((mark) => mark.key === key).map(({ label }) => label);
    for (const key of [...index.keys()]) {
      const labels = labelsOf(key);
      if (!(labels.includes(repo) || (repo === '' && labels.length === 0))) continue;
      if (labels.length > 1) await this.#store.unmark(key, repo);
      else {
        await this.#store.removeFile(key);
        index.delete(key);
      }
      this.#marked.delete(`${key} ${repo}`);
    }
  }

  /** Removes everything, what other tabs wrote since included. */
  async clear(): Promise<void> {
    await this.#store.clear();
    this.#index = Promise.resolve(new Map());
    this.#marked.clear();
    this.#full = false;
  }

  #pieces(): Promise<Map<string, Held[]>> {
    this.#index ??= this.#store.list().then((pieces) => indexOf(pieces, new Map()));
    return this.#index;
  }

  /** Looks again what there is: other tabs write and remove too. */
  async #refresh(): Promise<Map<string, Held[]>> {
    const [before, pieces] = await Promise.all([this.#pieces(), this.#store.list()]);
    const known = new Map<string, Held>();
    for (const held of [...before.values()].flat()) known.set(nameOf(held.piece), held);
    const now = indexOf(pieces, known);
    // In place: reads under way hold it.
    for (const key of [...before.keys()]) if (!now.has(key)) before.delete(key);
    for (const [key, held] of now) before.set(key, held);
    return before;
  }

  #noteFull(): void {
    if (!this.#full) this.#onFull();
    this.#full = true;
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
      // Another tab may remove it this very moment.
      const whole = await blob.bytes().catch(() => new Uint8Array(0));
      held.verified = (await digest(whole)) === piece.sha256;
      if (held.verified) return whole.subarray(from - piece.start, to - piece.start);
    }
    if (blob !== null) await this.#store.remove(piece);
    return null;
  }

  /**
   * Gives up pieces that were not used since this page was opened, those of the files used longest
   * ago first, until no more than `most` bytes are kept beside those to come.
   *
   * @returns whether there is room now
   */
  async #makeRoom(coming: number, most: number): Promise<boolean> {
    if (bytesOf(await this.#pieces()) + coming <= most) return true;
    const hasRoom = await this.#store.alone(() => this.#evict(coming, most));
    if (!hasRoom) this.#noteFull();
    return hasRoom;
  }

  async #evict(coming: number, most: number): Promise<boolean> {
    const [index, marks] = await Promise.all([this.#refresh(), this.#store.marks()]);
    const usedAt = new Map<string, number>();
    for (const mark of marks) {
      usedAt.set(mark.key, Math.max(usedAt.get(mark.key) ?? 0, mark.usedAt));
    }
    const age = ({ piece }: Held): number => Math.max(usedAt.get(piece.key) ?? 0, piece.writtenAt);
    const unused = [...index.values()].flat().filter(({ used }) => !used);
    unused.sort((a, b) => age(a) - age(b));
    let kept = bytesOf(index) + coming;
    for (const held of unused) {
      if (kept <= most) break;
      const { key, start, end } = held.piece;
      kept -= end - start;
      const others = index.get(key)!.filter((other) => other !== held);
      if (others.length > 0) index.set(key, others);
      else index.delete(key);
      // With its last piece a file's marks go too.
      await (others.length > 0 ? this.#store.remove(held.piece) : this.#store.removeFile(key));
    }
    return kept <= most;
  }
}

function indexOf(
  pieces: readonly StoredPiece[],
  known: ReadonlyMap<string, Held>,
): Map<string, Held[]> {
  const index = new Map<string, Held[]>();
  for (const piece of pieces) {
    const held = known.get(nameOf(piece)) ?? { piece, verified: false, used: false };
    const others = index.get(piece.key);
    if (others === undefined) index.set(piece.key, [held]);
    else others.push(held);
  }
  return index;
}

function nameOf(piece: Piece): string {
  return `${piece.key}/${pieceName(piece)}`;
}

function lastWritten(held: readonly Held[]): number {
  return Math.max(...held.map(({ piece }) => piece.writtenAt));
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
  for (const held of index.values()) bytes += sizeOf(held);
  return bytes;
}

function sizeOf(held: readonly Held[]): number {
  return held.reduce((sum, { piece }) => sum + piece.end - piece.start, 0);
}

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
