/** Where an export is staged before it leaves: on disk in browsers, in memory in tests. */
import { type ExportFolder } from '@/export/file-sink';
import { type ExportedFile } from '@/protocol/export-facts';

/** A folder of this job alone. Its files throw PeruError `out-of-disk` when there is no more room. */
export interface StagingFolder extends ExportFolder {
  /** @throws PeruError `source` when there is no such file */
  open(path: string): Promise<File>;
  /** Removes the folder with all it holds, open files too. Idempotent. */
  remove(): Promise<void>;
  /** Lets go of a folder whose files are whole: a sweep removes it, once no page holds it. */
  leave(): Promise<void>;
}

/** Gives out folders. */
export interface ExportStore {
  /**
   * A new, empty folder.
   *
   * @throws PeruError `unsupported` where the browser keeps no files for pages
   */
  create(): Promise<StagingFolder>;
  /** Removes what was left, by closed tabs too, and is held by nobody (`export-locks`). */
  sweep(): Promise<void>;
  /** Bytes that may still be written; null where it is not told. */
  freeBytes(): Promise<number | null>;
}

/** An export that is made, read back and found sound, ready to leave this machine. */
export interface StagedExport {
  /** In the order they were written. */
  readonly files: readonly ExportedFile[];
  /**
   * One of its files, on disk.
   *
   * @param path of one of `files`
   * @throws PeruError `source` when it is not there any more
   */
  open(path: string): Promise<File>;
}
