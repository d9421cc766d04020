/**
 * Keeps what was fetched, by content: a file is known by its hash, each piece of it by its own. A
 * piece is used only once its bytes were seen to have the hash in its name, so that one cut short,
 * damaged or half written is fetched again, never used.
 */
import { sha256Hex } from '@/core/sha256';
import {
  addGap,
  bytesOf,
  type Gap,
  type Held,
  indexOf,
  lastWritten,
  nameOf,
  nextPiece,
  sizeOf,
} from './held-pieces';
import { type Piece, type RangeStore, StoreFullError } from './range-store';

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

/** Other tabs write and remove too; in ms, how long what was seen of it is gone by. */
const LOOK_AGAIN_MS = 60_000;
/** How often room is made for a piece: the store takes some itself, beside the bytes. */
const MOST_EVICTIONS = 2;

export class RangeCache {
  readonly #store: RangeStore;
  readonly #maxBytes: number;
  readonly #onFull: () => void;
  readonly #marked = new Set<string>();
  /** Files asked for or written since this page was opened: not given up for others. */
  readonly #inUse = new Set<string>();
  #index: Promise<Map<string, Held[]>> | null = null;
  /** By file, in ms since 1970, as the marks said at `#lookedAt`. */
  #usedAt = new Map<string, number>();
  #lookedAt = -Infinity;
  #full = false;
  /** What was found no room for, and when: as much again need not be tried soon. */
  #refused = { bytes: Infinity, at: -Infinity };

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
    this.#inUse.add(key);
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
   * unsound counts until it is used. What was counted on stays, if it is there.
   */
  async kept(key: string, start: number, end: number): Promise<number> {
    this.#inUse.add(key);
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
    this.#inUse.add(key);
    if (this.#wasRefused(bytes.length)) return;
    const sha256 = await sha256Hex(bytes);
    const piece: Piece = { key, start, end: start + bytes.length, sha256 };
    const index = await this.#pieces();
    const isWritten =
      (await this.#makeRoom((kept) => kept + bytes.length - this.#maxBytes)) &&
      (await this.#write(piece, bytes));
    if (!isWritten) {
      this.#refuse(bytes.length);
      return;
    }
    const held = { piece: { ...piece, writtenAt: Date.now() }, verified: true };
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
    this.#forgetRefusal();
  }

  /** Removes what is kept of a file, whichever repo has it. */
  async remove(key: string): Promise<void> {
    await this.#store.removeFile(key);
    (await this.#pieces()).delete(key);
    for (const name of this.#marked) if (name.startsWith(`${key} `)) this.#marked.delete(name);
  }

  /** Removes everything, what other tabs wrote since included. */
  async clear(): Promise<void> {
    await this.#store.clear();
    this.#index = Promise.resolve(new Map());
    this.#marked.clear();
    this.#full = false;
    this.#forgetRefusal();
  }

  #pieces(): Promise<Map<string, Held[]>> {
    this.#index ??= this.#store.list().then((pieces) => indexOf(pieces, new Map()));
    return this.#index;
  }

  /** What there is, looked at again where that is long ago. */
  async #lookAround(): Promise<Map<string, Held[]>> {
    const before = await this.#pieces();
    if (Date.now() - this.#lookedAt < LOOK_AGAIN_MS) return before;
    const [pieces, marks] = await Promise.all([this.#store.list(), this.#store.marks()]);
    const known = new Map<string, Held>();
    for (const held of [...before.values()].flat()) known.set(nameOf(held.piece), held);
    const now = indexOf(pieces, known);
    // In place: reads under way hold it.
    for (const key of [...before.keys()]) if (!now.has(key)) before.delete(key);
    for (const [key, held] of now) before.set(key, held);
    this.#usedAt = new Map();
    for (const { key, usedAt } of marks) {
      this.#usedAt.set(key, Math.max(this.#usedAt.get(key) ?? 0, usedAt));
    }
    this.#lookedAt = Date.now();
    return before;
  }

  /** Whether so much was too much a moment ago. */
  #wasRefused(bytes: number): boolean {
    return bytes >= this.#refused.bytes && Date.now() - this.#refused.at < LOOK_AGAIN_MS;
  }

  #refuse(bytes: number): void {
    if (!this.#full) this.#onFull();
    this.#full = true;
    this.#refused = { bytes, at: Date.now() };
  }

  #forgetRefusal(): void {
    this.#refused = { bytes: Infinity, at: -Infinity };
  }

  /** Bytes [from, to) of the file, from this piece; null, and the piece gone, if it is unsound. */
  async #read(held: Held, from: number, to: number): Promise<Uint8Array | null> {
    const { piece } = held;
    const blob = await this.#store.open(piece);
    if (blob?.size === piece.end - piece.start) {
      if (held.verified) {
        const part = blob.slice(from - piece.start, to - piece.start);
        return new Uint8Array(await part.arrayBuffer());
      }
      // Another tab may remove it this very moment.
      const whole = await blob.bytes().catch(() => new Uint8Array(0));
      held.verified = (await sha256Hex(whole)) === piece.sha256;
      if (held.verified) return whole.subarray(from - piece.start, to - piece.start);
    }
    if (blob !== null) await this.#store.remove(piece);
    return null;
  }

  /** Writes a piece, in the place of older ones where the store is full; false without room. */
  async #write(piece: Piece, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
    for (let evictions = 0; ; evictions++) {
      try {
        await this.#store.write(piece, bytes);
        return true;
      } catch (error) {
        if (!(error instanceof StoreFullError)) throw error;
      }
      if (evictions === MOST_EVICTIONS || !(await this.#makeRoom(() => bytes.length))) return false;
    }
  }

  /**
   * Gives up pieces of files that this page has not asked for, of those used longest ago first:
   * as many as must be, and none where all of them were too few.
   *
   * @param missing how many bytes to free, from how many are kept
   * @returns whether there is room now
   */
  async #makeRoom(missing: (keptBytes: number) => number): Promise<boolean> {
    if (missing(bytesOf(await this.#pieces())) <= 0) return true;
    return this.#store.alone(async () => {
      const index = await this.#lookAround();
      return this.#evict(index, missing(bytesOf(index)));
    });
  }

  async #evict(index: Map<string, Held[]>, bytes: number): Promise<boolean> {
    const age = ({ piece }: Held): number =>
      Math.max(this.#usedAt.get(piece.key) ?? 0, piece.writtenAt);
    const unused = [...index].flatMap(([key, held]) => (this.#inUse.has(key) ? [] : held));
    if (sizeOf(unused) < bytes) return false;
    unused.sort((a, b) => age(a) - age(b));
    let freed = 0;
    for (const held of unused) {
      if (freed >= bytes) break;
      const { key, start, end } = held.piece;
      freed += end - start;
      const others = index.get(key)!.filter((other) => other !== held);
      if (others.length > 0) index.set(key, others);
      else index.delete(key);
      await this.#store.remove(held.piece);
    }
    return true;
  }
}
