/**
 * The latest export of a session: made, kept, handed out in every way, left. An export or zip that
 * stood is left to sweeps, never removed outright: a browser may still be saving it.
 */
import { loadPart } from '@/core/load-part';
import { PeruError } from '@/core/errors';
import { type JobContext } from '@/jobs/context/job-context';
import { type Platform } from './context/platform';
import { type LoadedGroup } from './group/loaded-group';
import { type ExportRequest, type UploadRequest } from '@/protocol/requests';
import { uploadExport } from '@/jobs/staging/upload-export';
import { type ExportStore, type StagingFolder } from '@/jobs/context/export-store';
import { type StagedExport } from '@/jobs/context/export-store';
import { type MadeZip } from '@/jobs/staging/zip-export';

export class ExportSession {
  readonly #store: ExportStore;
  readonly #saveToFolder: Platform['saveToFolder'];
  /** Of the export that stands or is being made. */
  #folder: StagingFolder | null = null;
  #staged: StagedExport | null = null;
  #zip: MadeZip | null = null;

  constructor({ exports, saveToFolder }: Pick<Platform, 'exports' | 'saveToFolder'>) {
    this.#store = exports;
    this.#saveToFolder = saveToFolder;
  }

  /**
   * Makes an export in the place of the one before and tells `exported`.
   *
   * @throws PeruError as `LoadedGroup.export`; then nothing is left
   */
  async make(group: LoadedGroup, request: ExportRequest, context: JobContext): Promise<void> {
    const start = performance.now();
    await this.clear();
    await this.sweep();
    const folder = await this.#store.create();
    this.#folder = folder;
    try {
      const place = { folder, store: this.#store };
      const { staged, index } = await group.export(request, context, place);
      context.signal.throwIfAborted();
      // Its device was lost, and it was given up for dead.
      if (this.#folder !== folder) throw new Error('The export was given up.');
      this.#staged = staged;
      const { files, bytes } = staged;
      const seconds = (performance.now() - start) / 1000;
      context.emit({ type: 'exported', facts: { files: [...files], bytes, index, seconds } });
    } catch (error) {
      await folder.remove();
      throw error;
    }
  }

  /** One of its files; null where there is none of that path. */
  async file(path: string): Promise<File | null> {
    const staged = this.#staged;
    if (!staged?.files.some((file) => file.path === path)) return null;
    return staged.open(path);
  }

  /** Packs it, where that was not done before, and tells `zipped`. */
  async zip(context: JobContext): Promise<void> {
    const staged = this.#standing();
    const { zipExport } = await loadPart(() => import('@/jobs/staging/zip-export'));
    this.#zip ??= await zipExport(staged, this.#store, context);
    context.emit({ type: 'zipped', file: await this.#zip.open() });
  }

  /** Copies it into a folder that the visitor chose. */
  async saveTo(folder: FileSystemDirectoryHandle, context: JobContext): Promise<void> {
    const staged = this.#standing();
    await this.#saveToFolder(staged, folder, context);
  }

  /** Uploads it and tells `uploaded`. */
  async upload(request: UploadRequest, context: JobContext): Promise<void> {
    await uploadExport(request, this.#standing(), context);
  }

  /** Gives it up: half made it is removed, whole it is left. */
  async clear(): Promise<void> {
    const [folder, zip, isWhole] = [this.#folder, this.#zip, this.#staged !== null];
    this.#folder = null;
    this.#staged = null;
    this.#zip = null;
    if (!isWhole) {
      await folder?.remove();
      return;
    }
    await folder?.leave();
    await zip?.folder.leave();
    await this.sweep();
  }

  /** Removes what was left; where that fails, the next export tries again. */
  async sweep(): Promise<void> {
    await this.#store.sweep().catch(() => undefined);
  }

  #standing(): StagedExport {
    if (this.#staged !== null) return this.#staged;
    throw new PeruError('export', 'There is no export to take along.', 'Press Export first.');
  }
}
