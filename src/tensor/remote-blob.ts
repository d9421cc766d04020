import { type ByteTally } from '@/core/byte-tally';

/**
 * A Blob whose bytes lie elsewhere and are fetched only when they are read. To the platform it is
 * an empty Blob: `new Blob([remote])`, `new Response(remote)` and `postMessage` would lose its
 * bytes without a word, so readers go through `readRange`, or the methods below.
 */
export abstract class RemoteBlob extends Blob {
  /** In bytes. */
  abstract override get size(): number;

  /**
   * Reads bytes [start, end) into memory of their own.
   *
   * @throws PeruError saying what failed, with which file; the signal's reason once aborted
   */
  abstract read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;

  /**
   * What reading bytes [start, end) takes. Nothing is read to find out; where kept bytes turn out to
   * be unsound, they are fetched after all.
   */
  tally(start: number, end: number): Promise<ByteTally> {
    const neededBytes = end - start;
    return Promise.resolve({ neededBytes, toFetchBytes: neededBytes, keptBytes: 0 });
  }

  override slice(start = 0, end = this.size): Blob {
    const from = clamp(start, this.size);
    return new RemoteSlice(this, from, Math.max(from, clamp(end, this.size)));
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.read(0, this.size)).buffer;
  }

  override bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.read(0, this.size);
  }

  override async text(): Promise<string> {
    return new TextDecoder().decode(await this.read(0, this.size));
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    let at = 0;
    return new ReadableStream({
      pull: async (controller) => {
        const end = Math.min(this.size, at + STREAM_BYTES);
        if (at < end) controller.enqueue(await this.read(at, end));
        else controller.close();
        at = end;
      },
    });
  }
}

/** Bytes of one piece of a stream. */
const STREAM_BYTES = 4 * 1024 * 1024;

class RemoteSlice extends RemoteBlob {
  readonly #whole: RemoteBlob;
  readonly #start: number;
  readonly #end: number;

  constructor(whole: RemoteBlob, start: number, end: number) {
    super();
    this.#whole = whole;
    this.#start = start;
    this.#end = end;
  }

  override get size(): number {
    return this.#end - this.#start;
  }

  override tally(start: number, end: number): Promise<ByteTally> {
    return this.#whole.tally(this.#start + start, this.#start + end);
  }

  override read(
    start: number,
    end: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array<ArrayBuffer>> {
    if (!(start >= 0 && start <= end && end <= this.size)) {
      throw new RangeError(`Bytes ${start} to ${end} lie outside a slice of ${this.size}.`);
    }
    return this.#whole.read(this.#start + start, this.#start + end, signal);
  }
}

/** What reading bytes [start, end) of a Blob takes; those of this disk's files are only read. */
export function tallyOf(blob: Blob, start: number, end: number): Promise<ByteTally> {
  if (blob instanceof RemoteBlob) return blob.tally(start, end);
  return Promise.resolve({ neededBytes: end - start, toFetchBytes: 0, keptBytes: 0 });
}

/** A position as `Blob.slice` takes it: negative ones count from the end. */
function clamp(position: number, size: number): number {
  return position < 0 ? Math.max(0, size + position) : Math.min(position, size);
}
