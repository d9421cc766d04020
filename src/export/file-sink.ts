import { type ByteSource } from '@/tensor/byte-source';
/**
 * Where an export's files go. The writers of this folder know no disk: whoever calls them opens
 * files in the browser's storage, tests in memory.
 */

export interface FileSink {
  /** Writes bytes from byte `at` of the file on; parts may come in any order. */
  write(bytes: Uint8Array<ArrayBuffer>, at: number): void | Promise<void>;
}

/** A file that is being written. */
export interface OpenFile extends FileSink {
  /** What was written is on disk once this settles. Called once, also after a failure. */
  close(): void | Promise<void>;
}

/** The folder that one export is written to. */
export interface ExportFolder {
  /** Makes an empty file; `path` is inside the folder, its parts separated by `/`. */
  create(path: string): Promise<OpenFile>;
  /** A closed file as it lies on disk. */
  open(path: string): Promise<ByteSource>;
}
