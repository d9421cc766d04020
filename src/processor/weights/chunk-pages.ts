/**
 * Gets weights to the threads, each its part: uploaded and kept, or read when they are needed and
 * kept while the budget allows. Counts what is held, theta* included.
 */
import { transfer } from 'comlink';
import { type MemoryCount } from '@/core/memory-count';
import { invariantError } from '@/core/errors';
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type GroupSpec, type StreamedSpec } from '@/tensor/engine';
import { PageStream, type Wanted } from '@/tensor/page-stream';
import { type Crew } from '../crew/crew';
import { mergedBytes, pageBytes } from './memory-plan';
import { partOf, type Share } from '../parts/blocks';

/** Elements a thread is asked about at once, at most, so that it stops soon after a job does. */
const BATCH_ELEMENTS = 2 ** 23;

interface Page {
  readonly checkpoint: number;
  readonly chunk: number;
  readonly bytes: number;
}

export class ChunkPages {
  readonly #held = new Set<string>();
  readonly #stream: PageStream<Page> | null;
  #heldBytes = 0;
  #mergedBytes = 0;
  /** Uploads on their way; the next walk waits for them, and fails with the first that failed. */
  #uploads: Promise<unknown> = Promise.resolve();
  isMerged = false;

  /** @param countBytes of selections' counts, for which a streamed group leaves room */
  constructor(
    private readonly id: number,
    private readonly spec: GroupSpec,
    private readonly crew: Crew,
    private readonly shares: readonly Share[],
    private readonly countBytes: number,
    private readonly memory: MemoryCount,
  ) {
    this.#stream = spec.streamed ? this.#openStream(spec.streamed) : null;
    const share = (part: number) => shares[part]!;
    const { layout, chunks } = spec;
    this.#later(
      crew.ask((thread, part) => thread.openShard(id, { layout, chunks, share: share(part) })),
    );
  }

  /** @throws PeruError `internal` when the length is not that of the chunk, or nothing is kept */
  put(checkpoint: number, chunk: number, bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#stream) throw invariantError('Weights were uploaded to a group that reads its own.');
    this.#check(checkpoint, chunk, bytes.byteLength);
    const key = `${chunk}:${checkpoint}`;
    if (!this.#held.has(key)) this.#count(bytes.byteLength);
    this.#held.add(key);
    this.#later(this.#send(checkpoint, chunk, bytes));
  }

  /**
   * Runs of chunks with the pages of `checkpoints` held, until the next run is asked for.
   *
   * @param most elements of a run at most, where weights stay; default: a batch for every thread
   */
  async *walk(
    checkpoints: readonly number[],
    wanted?: Wanted,
    most = BATCH_ELEMENTS * this.crew.size,
  ): AsyncGenerator<readonly number[]> {
    await this.#uploads;
    if (this.#stream) {
      for await (const chunk of this.#stream.walk(checkpoints, wanted)) {
        this.spec.job?.signal.throwIfAborted();
        yield [chunk];
      }
      return;
    }
    this.#assertHeld(checkpoints);
    for (const run of this.#runs(most)) {
      this.spec.job?.signal.throwIfAborted();
      yield run;
    }
  }

  #runs(most: number): number[][] {
    const runs: number[][] = [];
    let elements = Infinity;
    for (const { index, elementCount } of this.spec.chunks) {
      elements += elementCount;
      if (elements > most) {
        runs.push([]);
        elements = elementCount;
      }
      runs.at(-1)!.push(index);
    }
    return runs;
  }

  /** Makes theta* anew; a failure on the way leaves none. */
  async remake(dtype: FloatDtype, work: () => Promise<void>): Promise<void> {
    this.isMerged = false;
    const needed = mergedBytes(this.spec, dtype);
    const added = needed - this.#mergedBytes;
    this.#mergedBytes = needed;
    // Pages make room for it first.
    this.#stream?.setRoom(this.#roomBytes());
    this.#count(added);
    try {
      await work();
      this.isMerged = true;
    } catch (error) {
      this.#count(-this.#mergedBytes);
      this.#mergedBytes = 0;
      this.#stream?.setRoom(this.#roomBytes());
      this.#later(this.crew.ask((thread) => thread.dropMerged(this.id)));
      throw error;
    }
  }

  dispose(): void {
    this.#stream?.dispose();
    this.#held.clear();
    this.isMerged = false;
    this.#count(-this.#heldBytes);
    this.#mergedBytes = 0;
    this.#later(this.crew.ask((thread) => thread.closeShard(this.id)));
  }

  #openStream({ read }: StreamedSpec): PageStream<Page> {
    const load = async (checkpoint: number, chunk: number): Promise<Page> => {
      const bytes = await read(checkpoint, chunk);
      this.#check(checkpoint, chunk, bytes.byteLength);
      const { byteLength } = bytes;
      this.#count(byteLength);
      try {
        await this.#send(checkpoint, chunk, bytes);
      } catch (error) {
        this.#count(-byteLength);
        throw error;
      }
      return { checkpoint, chunk, bytes: byteLength };
    };
    const drop = ({ checkpoint, chunk, bytes }: Page): void => {
      this.#count(-bytes);
      this.#later(this.crew.ask((thread) => thread.dropPage(this.id, checkpoint, chunk)));
    };
    const source = {
      chunks: this.spec.chunks,
      bytesOf: (checkpoint: number, chunk: number) =>
        pageBytes(this.spec.chunks[chunk]!, this.#dtypeOf(checkpoint, chunk)),
      ...{ load, drop },
    };
    return new PageStream(source, this.#roomBytes());
  }

  /** One copy of the bytes: each thread's part goes to it, and is gone here. */
  async #send(checkpoint: number, chunk: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const each = bytesPerElement(this.#dtypeOf(checkpoint, chunk));
    const parts = this.shares.map((share) => {
      const { start, end } = partOf(this.spec.chunks[chunk]!, share);
      return bytes.slice(start * each, end * each).buffer;
    });
    await this.crew.ask((thread, part) => {
      const buffer = parts[part]!;
      return thread.putPage(this.id, checkpoint, chunk, transfer(buffer, [buffer]));
    });
  }

  #later(work: Promise<unknown>): void {
    const both = Promise.all([this.#uploads, work]);
    both.catch(() => undefined); // told by the next walk
    this.#uploads = both;
  }

  #assertHeld(checkpoints: readonly number[]): void {
    for (const checkpoint of checkpoints) {
      for (const { index } of this.spec.chunks) {
        if (this.#held.has(`${index}:${checkpoint}`)) continue;
        throw invariantError(`Checkpoint ${checkpoint} has no bytes for chunk ${index}.`);
      }
    }
  }

  #roomBytes(): number {
    const { streamed } = this.spec;
    if (!streamed) return Infinity;
    return streamed.budgetBytes - this.#mergedBytes - this.countBytes;
  }

  #check(checkpoint: number, chunk: number, byteLength: number): void {
    const expected = pageBytes(this.spec.chunks[chunk]!, this.#dtypeOf(checkpoint, chunk));
    if (byteLength !== expected) {
      throw invariantError(`Chunk ${chunk} takes ${expected} bytes, got ${byteLength}.`);
    }
  }

  #dtypeOf(checkpoint: number, chunk: number): FloatDtype {
    const dtype = this.spec.chunks[chunk]?.dtypes[checkpoint];
    if (!dtype) throw invariantError(`There is no chunk ${chunk} of checkpoint ${checkpoint}.`);
    return dtype;
  }

  #count(byteLength: number): void {
    this.#heldBytes += byteLength;
    if (byteLength >= 0) this.memory.add(byteLength);
    else this.memory.remove(-byteLength);
  }
}
