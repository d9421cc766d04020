/** Where an export is staged before it leaves: on disk (`opfs-folder`), in memory in tests. */
import { type ExportFolder } from '@/export/file-sink';

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
