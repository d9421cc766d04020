/** An export that is made, read back and found sound, ready to leave this machine. */
import { type ExportedFile } from '@/worker/protocol';

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
