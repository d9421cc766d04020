/** Fills the folder of an export: every file is written, then read back and proven. */
import { type ExportFolder } from '@/export/file-sink';
import { verifyFile } from '@/export/verify-file';
import { writeWhole, type WriteOptions, type WrittenFile } from '@/export/written-file';
import { type JobContext } from '@/jobs/context/job-context';
import { type ExportedFile, type ExportedKind, type IndexCost } from '@/protocol/export-facts';
import { ByteProgress } from '@/jobs/context/byte-progress';
import { refuseWithoutRoom } from '@/jobs/context/disk-room';
import { type ExportStore, type StagingFolder } from '@/jobs/context/export-store';
import { type StagedExport } from '@/jobs/context/export-store';

/** Writes files into the folder it is given. */
export type Write = (
  folder: ExportFolder,
  options: WriteOptions,
) => Promise<readonly WrittenFile[]>;

export interface StagingOptions extends JobContext {
  /** Bytes of all files that are planned. */
  readonly totalBytes: number;
  /** Let NaN and Inf pass: the sources hold some, and the visitor went on. */
  readonly allowNonFinite: boolean;
}

/** What an export is made in. */
export interface StagingPlace {
  readonly folder: StagingFolder;
  readonly store: Pick<ExportStore, 'freeBytes'>;
}

/** What an export leaves, and what its sparse files' positions cost. */
export interface WrittenExport {
  readonly staged: Staging;
  /** Per task; empty for adapters. */
  readonly index: readonly IndexCost[];
}

export class Staging implements StagedExport {
  readonly #folder: StagingFolder;
  readonly #options: StagingOptions;
  readonly #progress: ByteProgress;
  readonly #files: ExportedFile[] = [];

  private constructor(folder: StagingFolder, options: StagingOptions) {
    this.#folder = folder;
    this.#options = options;
    // Every byte is written once and read once.
    this.#progress = new ByteProgress(options.emit, 2 * options.totalBytes);
  }

  /** @throws PeruError `out-of-disk` where the planned files can not have room */
  static async begin({ folder, store }: StagingPlace, options: StagingOptions): Promise<Staging> {
    refuseWithoutRoom('The export', options.totalBytes, await store.freeBytes());
    return new Staging(folder, options);
  }

  get files(): readonly ExportedFile[] {
    return this.#files;
  }

  /** Bytes of all files so far. */
  get bytes(): number {
    return this.#files.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  open(path: string): Promise<File> {
    return this.#folder.open(path);
  }

  /**
   * Writes files of one kind and reads them back.
   *
   * @throws PeruError `export` where what stands on disk is not what was written, `out-of-disk`;
   *   whatever `write` throws; the signal's reason once aborted
   */
  async add(kind: ExportedKind, write: Write): Promise<ExportedFile[]> {
    const { signal, allowNonFinite } = this.#options;
    const options = { signal, onBytes: this.#progress.add };
    const added: ExportedFile[] = [];
    for (const written of await write(this.#announcing(), options)) {
      this.#progress.stage(`Reading back ${written.path}`);
      const blob = await this.#folder.open(written.path);
      const verified = await verifyFile(blob, written, { ...options, allowNonFinite });
      added.push({ ...verified, kind });
    }
    this.#files.push(...added);
    return added;
  }

  /** Adds a file of text. */
  async addText(path: string, text: string): Promise<void> {
    await this.add('about', async (folder, options) => [
      await writeWhole(folder, path, text, options),
    ]);
  }

  /** The folder, telling which file is begun. */
  #announcing(): ExportFolder {
    return {
      create: (path) => {
        this.#progress.stage(`Writing ${path}`);
        return this.#folder.create(path);
      },
      open: (path) => this.#folder.open(path),
    };
  }
}
