/**
 * Weights that come and go: pages, each one checkpoint's part of one chunk, are loaded when an
 * operation reaches them and kept while there is room. Both engines stream through this.
 *
 * Operations walk the chunks from first to last, again and again. So what was passed a moment ago is
 * what will be missed last: among the pages of the checkpoints at work the newest goes first, and a
 * walk over twice the room still finds half of it. Before that go other tasks' pages, oldest first,
 * and the base, which every task needs, stays longest while it is in use.
 */
import { type Chunk } from './layout';
import { invariantError, PeruError } from '@/core/errors';

export interface PageSource<P> {
  readonly chunks: readonly Pick<Chunk, 'index'>[];
  /** Bytes a page takes. */
  readonly bytesOf: (checkpoint: number, chunkIndex: number) => number;
  /** Loads a page; it is in the room already. A rejection is that of the walk. */
  readonly load: (checkpoint: number, chunkIndex: number) => Promise<P>;
  readonly drop: (page: P) => void;
  /** Resolves when the work on the chunk that a walk leaves is done; until then its pages stay. */
  readonly passed?: () => Promise<void>;
}

/** Says of each chunk whether it is still to be visited; asked anew at every chunk. */
export type Wanted = () => Promise<(chunkIndex: number) => boolean>;

interface Entry<P> {
  readonly checkpoint: number;
  readonly chunkIndex: number;
  readonly bytes: number;
  /** Never rejects: `failure` tells. */
  readonly loaded: Promise<void>;
  page: P | null;
  failure: Error | null;
  pins: number;
  lastUse: number;
}

const BASE = 0;

export class PageStream<P> {
  private readonly entries = new Map<string, Entry<P>>();
  /** Checkpoints of the walk at hand. */
  private needed = new Set<number>();
  private heldBytes = 0;
  private clock = 0;
  private disposed = false;

  /** @param roomBytes bytes of pages held at most */
  constructor(
    private readonly source: PageSource<P>,
    private roomBytes: number,
  ) {}

  /** Pages that find no room any more go at once. Not during a walk. */
  setRoom(roomBytes: number): void {
    this.roomBytes = roomBytes;
    while (this.heldBytes > roomBytes && this.evictOne());
  }

  /** A page that the walk at hand holds. */
  page(checkpoint: number, chunkIndex: number): P {
    const entry = this.entries.get(keyOf(checkpoint, chunkIndex));
    if (!entry || entry.page === null || entry.pins === 0) {
      throw invariantError(`Chunk ${chunkIndex} of checkpoint ${checkpoint} is not held.`);
    }
    return entry.page;
  }

  /**
   * Visits the chunks in order with their pages held, and loads those of the next while the visitor
   * works on one, where there is room for both. One walk at a time.
   *
   * @throws PeruError `out-of-memory` where one chunk's pages do not fit; what `load` rejects with
   */
  async *walk(checkpoints: readonly number[], wanted?: Wanted): AsyncGenerator<number> {
    this.needed = new Set(checkpoints);
    let held: Entry<P>[] = [];
    let ahead: Entry<P>[] = [];
    try {
      let at = await this.next(-1, wanted);
      while (at !== null) {
        held = ahead.length > 0 ? ahead : this.pinAll(at);
        ahead = [];
        await settled(held);
        this.assertOpen();
        const next = await this.next(at, wanted);
        if (next !== null && this.hasRoom(next)) ahead = this.pinAll(next);
        yield at;
        if (held.length > 0) await this.source.passed?.();
        this.assertOpen();
        unpin(held);
        held = [];
        // The visit may have settled what the next chunk was wanted for.
        at = await this.next(at, wanted);
        if (at !== next) {
          await allLoaded(ahead);
          unpin(ahead);
          ahead = [];
        }
      }
    } finally {
      const pinned = [...held, ...ahead];
      await allLoaded(pinned); // no load is left behind
      unpin(pinned);
    }
  }

  dispose(): void {
    this.disposed = true;
    for (const entry of [...this.entries.values()]) this.forget(entry);
  }

  /** The first chunk after one that is wanted. */
  private async next(after: number, wanted: Wanted | undefined): Promise<number | null> {
    const isWanted = await wanted?.();
    const from = this.source.chunks.slice(after + 1);
    return from.find(({ index }) => isWanted?.(index) ?? true)?.index ?? null;
  }

  /** Whether a chunk's pages fit beside those pinned now. */
  private hasRoom(chunkIndex: number): boolean {
    let bytes = 0;
    for (const entry of this.entries.values()) if (entry.pins > 0) bytes += entry.bytes;
    for (const checkpoint of this.needed) bytes += this.source.bytesOf(checkpoint, chunkIndex);
    return bytes <= this.roomBytes;
  }

  /** Pins what is here before anything makes room for what is not. */
  private pinAll(chunkIndex: number): Entry<P>[] {
    const known = [...this.needed].map((checkpoint) => {
      const entry = this.entries.get(keyOf(checkpoint, chunkIndex));
      if (entry) entry.pins++;
      return entry;
    });
    const pinned = known.filter((entry) => entry !== undefined);
    try {
      [...this.needed].forEach((checkpoint, i) => {
        if (!known[i]) pinned.push(this.start(checkpoint, chunkIndex));
      });
    } catch (error) {
      unpin(pinned);
      throw error;
    }
    for (const entry of pinned) entry.lastUse = ++this.clock;
    return pinned;
  }

  private start(checkpoint: number, chunkIndex: number): Entry<P> {
    const bytes = this.source.bytesOf(checkpoint, chunkIndex);
    this.makeRoom(bytes);
    this.heldBytes += bytes;
    const loaded = this.source.load(checkpoint, chunkIndex).then(
      (page) => {
        entry.page = page;
        if (this.disposed) this.source.drop(page);
      },
      (failure: unknown) => {
        entry.failure =
          failure instanceof Error ? failure : invariantError(`Not read: ${String(failure)}.`);
        this.forget(entry);
      },
    );
    const entry: Entry<P> = {
      checkpoint,
      chunkIndex,
      bytes,
      loaded,
      page: null,
      failure: null,
      pins: 1,
      lastUse: 0,
    };
    this.entries.set(keyOf(checkpoint, chunkIndex), entry);
    return entry;
  }

  private makeRoom(bytes: number): void {
    while (this.heldBytes + bytes > this.roomBytes) {
      if (!this.evictOne()) throw noRoom(this.heldBytes + bytes, this.roomBytes);
    }
  }

  /** Lets the page go that is missed last; false when all that is left is pinned. */
  private evictOne(): boolean {
    let worst: Entry<P> | null = null;
    for (const entry of this.entries.values()) {
      if (entry.pins > 0 || entry.page === null) continue;
      if (!worst || this.goesBefore(entry, worst)) worst = entry;
    }
    if (worst) this.forget(worst);
    return worst !== null;
  }

  private goesBefore(a: Entry<P>, b: Entry<P>): boolean {
    const [first, second] = [this.rank(a), this.rank(b)];
    if (first !== second) return first < second;
    return this.needed.has(a.checkpoint) ? a.lastUse > b.lastUse : a.lastUse < b.lastUse;
  }

  private rank({ checkpoint }: Entry<P>): number {
    return (this.needed.has(checkpoint) ? 2 : 0) + (checkpoint === BASE ? 1 : 0);
  }

  private forget(entry: Entry<P>): void {
    const key = keyOf(entry.checkpoint, entry.chunkIndex);
    if (this.entries.get(key) !== entry) return;
    this.entries.delete(key);
    this.heldBytes -= entry.bytes;
    if (entry.page !== null) this.source.drop(entry.page);
  }

  private assertOpen(): void {
    if (this.disposed)
      throw invariantError('A group of checkpoints was disposed of while it was at work.');
  }
}

function keyOf(checkpoint: number, chunkIndex: number): string {
  return `${checkpoint}:${chunkIndex}`;
}

async function allLoaded(entries: readonly Entry<unknown>[]): Promise<void> {
  await Promise.all(entries.map(({ loaded }) => loaded));
}

/** Waits for all, also when one has failed. */
async function settled(entries: readonly Entry<unknown>[]): Promise<void> {
  await allLoaded(entries);
  for (const { failure } of entries) if (failure !== null) throw failure;
}

function unpin(entries: readonly Entry<unknown>[]): void {
  for (const entry of entries) entry.pins--;
}

function noRoom(needed: number, roomBytes: number): PeruError {
  return new PeruError(
    'out-of-memory',
    `One chunk of all checkpoints takes ${needed} bytes; the budget leaves ${roomBytes} for it.`,
    'Raise the memory budget in the settings, or leave tensors out by name.',
  );
}
