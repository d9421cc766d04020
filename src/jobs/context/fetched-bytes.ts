import { type ByteProgress } from '@/formats/checkpoint/checkpoint-source';

/** Adds up the bytes of files that arrive side by side. */
export class FetchedBytes {
  /** Called after every arrival. */
  onArrival: (() => void) | null = null;
  readonly #files = new Map<string, ByteProgress>();

  readonly add = (progress: ByteProgress): void => {
    this.#files.set(progress.path, progress);
    this.onArrival?.();
  };

  get loaded(): number {
    return this.#sum(({ loadedBytes }) => loadedBytes);
  }

  /** Asked for so far; what is not known counts as what has come. */
  get asked(): number {
    return this.#sum(({ loadedBytes, totalBytes }) => totalBytes ?? loadedBytes);
  }

  #sum(bytesOf: (progress: ByteProgress) => number): number {
    let sum = 0;
    for (const progress of this.#files.values()) sum += bytesOf(progress);
    return sum;
  }
}
