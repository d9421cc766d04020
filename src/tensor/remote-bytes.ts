import { type ByteSource } from './byte-source';
import { type ByteTally } from '@/core/byte-tally';

/** Bytes that lie elsewhere, or are computed, and are fetched only when they are read. */
export abstract class RemoteBytes implements ByteSource {
  abstract get size(): number;

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

  slice(start = 0, end = this.size): ByteSource {
    const from = clamp(start, this.size);
    return new RemoteSlice(this, from, Math.max(from, clamp(end, this.size)));
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.read(0, this.size)).buffer;
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.read(0, this.size));
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
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

class RemoteSlice extends RemoteBytes {
  readonly #whole: RemoteBytes;
  readonly #start: number;
  readonly #end: number;

  constructor(whole: RemoteBytes, start: number, end: number) {
    super();
    this.#whole = whole;
    this.#start = start;
    this.#end = end;
  }

  get size(): number {
    return this.#end - this.#start;
  }

  override tally(start: number, end: number): Promise<ByteTally> {
    return this.#whole.tally(this.#start + start, this.#start + end);
  }

  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    if (!(start >= 0 && start <= end && end <= this.size)) {
      throw new RangeError(`Bytes ${start} to ${end} lie outside a slice of ${this.size}.`);
    }
    return this.#whole.read(this.#start + start, this.#start + end, signal);
  }
}

/** What reading bytes [start, end) takes; those of this disk's files are only read. */
export function tallyOf(blob: ByteSource, start: number, end: number): Promise<ByteTally> {
  if (blob instanceof RemoteBytes) return blob.tally(start, end);
  return Promise.resolve({ neededBytes: end - start, toFetchBytes: 0, keptBytes: 0 });
}

/** A position as `Blob.slice` takes it: negative ones count from the end. */
function clamp(position: number, size: number): number {
  return position < 0 ? Math.max(0, size + position) : Math.min(position, size);
}
