/** Adds the progress of single files, which the Hub's library tells, up to one of the whole upload. */
import { type CommitProgressEvent } from '@huggingface/hub';

export interface UploadProgress {
  /** `hashing`: large files are read to learn what the Hub has of them already. */
  readonly step: 'hashing' | 'uploading';
  /** Bytes of files; grows within a step up to `total`, which it reaches in the last one. */
  readonly done: number;
  readonly total: number;
}

export class UploadTally {
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #total: number;
  readonly #tell: (progress: UploadProgress) => void;
  /** Bytes of each file so far, in the current step. */
  #done = new Map<string, number>();
  #sum = 0;
  #step: UploadProgress['step'] = 'hashing';

  constructor(
    files: readonly { readonly path: string; readonly bytes: number }[],
    tell: (progress: UploadProgress) => void,
  ) {
    this.#sizes = new Map(files.map(({ path, bytes }) => [path, bytes]));
    this.#total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#tell = tell;
  }

  /** Takes what a repeated request takes back, and what comes late of a step that is over, as nothing. */
  take(event: CommitProgressEvent): void {
    if (event.event !== 'fileProgress' || event.state === 'error') return;
    if (event.state === 'uploading' && this.#step === 'hashing') this.#begin('uploading');
    if (event.state !== this.#step) return;
    const before = this.#done.get(event.path) ?? 0;
    const bytes = Math.floor((this.#sizes.get(event.path) ?? 0) * Math.min(1, event.progress));
    if (bytes <= before) return;
    this.#done.set(event.path, bytes);
    this.#sum += bytes - before;
    this.#say();
  }

  /** Everything is on the Hub. */
  finish(): void {
    if (this.#step === 'hashing') this.#begin('uploading');
    this.#sum = this.#total;
    this.#say();
  }

  #begin(step: UploadProgress['step']): void {
    this.#step = step;
    this.#done = new Map();
    this.#sum = 0;
    this.#say();
  }

  #say(): void {
    this.#tell({ step: this.#step, done: this.#sum, total: this.#total });
  }
}
