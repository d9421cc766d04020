/** The latest export of a session: made, kept, handed out in every way, removed. */
import { loadPart } from '@/sources/hub/load-part';
import { PeruError } from '@/tensor/errors';
import { type JobPorts } from '@/worker/job-ports';
import { type LoadedGroup } from '@/worker/open-group';
import { type ExportRequest, type UploadRequest } from '@/worker/protocol';
import { uploadExport } from '@/worker/upload-export';
import { type ExportStore, type StagingFolder } from './export-folder';
import { type StagedExport } from './staged-export';

export class ExportDesk {
  readonly #store: ExportStore;
  /** Of the export that stands or is being made. */
  #folder: StagingFolder | null = null;
  #staged: StagedExport | null = null;
  #zipFolder: StagingFolder | null = null;

  constructor(store: ExportStore) {
    this.#store = store;
  }

  /**
   * Makes an export in the place of the one before and tells `exported`.
   *
   * @throws PeruError as `exportRecipe`; then nothing is left
   */
  async make(group: LoadedGroup, request: ExportRequest, ports: JobPorts): Promise<void> {
    const start = performance.now();
    await this.clear();
    await this.sweep();
    const { exportRecipe } = await loadPart(() => import('./export-recipe'));
    const folder = await this.#store.create();
    this.#folder = folder;
    try {
      const job = { group, recipe: request.recipe, ...ports };
      const { staged, index } = await exportRecipe(job, request, { folder, store: this.#store });
      ports.signal.throwIfAborted();
      // Its device was lost, and it was given up for dead.
      if (this.#folder !== folder) throw new Error('The export was given up.');
      this.#staged = staged;
      const { files, bytes } = staged;
      const seconds = (performance.now() - start) / 1000;
      ports.emit({ type: 'exported', facts: { files: [...files], bytes, index, seconds } });
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

  /** Packs it and tells `zipped`. */
  async zip(ports: JobPorts): Promise<void> {
    const staged = this.#standing();
    await this.#dropZip();
    const { zipExport } = await loadPart(() => import('./zip-export'));
    const { file, folder } = await zipExport(staged, this.#store, ports);
    this.#zipFolder = folder;
    ports.emit({ type: 'zipped', file });
  }

  /** Copies it into a folder that the visitor chose. */
  async saveTo(folder: FileSystemDirectoryHandle, ports: JobPorts): Promise<void> {
    const staged = this.#standing();
    const { saveToFolder } = await loadPart(() => import('./save-to-folder'));
    await saveToFolder(staged, folder, ports);
  }

  /** Uploads it and tells `uploaded`. */
  async upload(request: UploadRequest, ports: JobPorts): Promise<void> {
    await uploadExport(request, this.#standing(), ports);
  }

  /** Removes it, whether it stands or is half made. */
  async clear(): Promise<void> {
    const folder = this.#folder;
    this.#folder = null;
    this.#staged = null;
    await folder?.remove();
    await this.#dropZip();
  }

  /** Removes what closed tabs have left; where that fails, the next export tries again. */
  async sweep(): Promise<void> {
    await this.#store.sweep().catch(() => undefined);
  }

  async #dropZip(): Promise<void> {
    const folder = this.#zipFolder;
    this.#zipFolder = null;
    await folder?.remove();
  }

  #standing(): StagedExport {
    if (this.#staged !== null) return this.#staged;
    throw new PeruError('export', 'There is no export to take along.', 'Press Export first.');
  }
}
