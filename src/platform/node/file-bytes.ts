import { type FileHandle, open } from 'node:fs/promises';
import { PeruError } from '@/core/errors';
import { RemoteBytes } from '@/tensor/remote-bytes';

/**
 * A file of this disk. Node's own Blob of a file reads it in small pieces, and copies them twice:
 * half as fast as this (bench/peers/job.ts).
 */
export class FileBytes extends RemoteBytes {
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(
    path: string,
    file: FileHandle,
    readonly size: number,
  ) {
    super();
    this.#path = path;
    this.#file = file;
  }

  /** @throws the system's error where the file can not be opened */
  static async open(path: string): Promise<FileBytes> {
    const file = await open(path);
    const { size } = await file.stat();
    return new FileBytes(path, file, size);
  }

  /** @throws PeruError `source` when the file ends before `end` */
  async read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(end - start);
    for (let at = 0; at < bytes.length;) {
      signal?.throwIfAborted();
      const { bytesRead } = await this.#file.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0) throw endedEarly(this.#path, start + at, end);
      at += bytesRead;
    }
    return bytes;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function endedEarly(path: string, at: number, end: number): PeruError {
  return new PeruError(
    'source',
    `${path} ended at byte ${at}, where bytes up to ${end} were to be read.`,
    'Leave the file as it is while it is read, and try again.',
  );
}
