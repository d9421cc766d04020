/** The files a group was opened from, with sizes and content hashes: what a recipe records. */
import { type FileRecord, type SourceRecord, type TaskRecord } from '@/recipe/recipe-file';
import { adapterPaths } from '@/formats/lora/lora-adapter';
import { sha256OfBlob } from '@/formats/checkpoint/content-hash';
import {
  type CheckpointSource,
  fileLabel,
  openRequired,
  type RepoSource,
} from '@/formats/checkpoint/checkpoint-source';
import { type CheckpointTensors } from '@/tensor/checkpoint-tensors';
import { type LoraFile } from '@/formats/lora-file/lora-file';
import { type AdapterSources, type FullSources, type LoraSources } from './sources';
import { type JobContext } from '@/jobs/context/job-context';
import { ByteProgress } from '@/jobs/context/byte-progress';

/** The base and the tasks, as a recipe names them. */
export interface SourceRecords {
  readonly base: SourceRecord;
  readonly tasks: readonly TaskRecord[];
}

/** A repo of the Hub says where it lies. */
type MaybeHub = RepoSource & {
  readonly hub?: {
    readonly repo: string;
    readonly commit: string;
    readonly folder: string;
  };
};

interface SourceFile {
  readonly path: string;
  readonly bytes: number;
  /** Null until it is known. */
  sha256: string | null;
}

interface Source {
  readonly repo: MaybeHub;
  /** Key of the task; null for the base. */
  readonly task: string | null;
  readonly files: readonly SourceFile[];
}

/** A content hash has 64 hex digits; for a size only their number matters. */
const HASH_PLACEHOLDER = '0'.repeat(64);

/** One opened group's files; each is hashed at most once. */
export class SourceManifest {
  readonly #sources: readonly Source[];

  private constructor(sources: readonly Source[]) {
    this.#sources = sources;
  }

  /** @param stored the base's tensors, then the tasks', under the names of their files */
  static async ofCheckpoints(
    { base, tasks }: FullSources,
    stored: readonly CheckpointTensors[],
  ): Promise<SourceManifest> {
    const repos = [base, ...tasks.map(({ model }) => model)];
    return SourceManifest.#open(
      repos.map((repo, i) => ({
        repo,
        task: tasks[i - 1]?.name ?? null,
        paths: weightPaths(repo, stored[i]!),
      })),
    );
  }

  static async ofAdapters(
    { base, tasks }: AdapterSources,
    storedBase: CheckpointTensors,
  ): Promise<SourceManifest> {
    return SourceManifest.#open([
      { repo: base, task: null, paths: weightPaths(base, storedBase) },
      ...tasks.map(({ name, model }) => {
        return { repo: model, task: name, paths: adapterPaths(model) };
      }),
    ]);
  }

  /** @param files opened, in the order of the sources */
  static async ofLoras(
    { files: sources }: LoraSources,
    files: readonly LoraFile[],
  ): Promise<SourceManifest> {
    return SourceManifest.#open(
      sources.map(({ repo, weightsPath, name }, i) => {
        const config = files[i]!.config;
        return {
          repo,
          task: name,
          paths: [...(config === null ? [] : [config.path]), weightsPath],
        };
      }),
    );
  }

  static async #open(
    named: readonly {
      readonly repo: MaybeHub;
      readonly task: string | null;
      readonly paths: readonly string[];
    }[],
  ): Promise<SourceManifest> {
    const sources = named.map(async ({ repo, task, paths }) => {
      const files = paths.map((path) => openFile(repo, path));
      return { repo, task, files: await Promise.all(files) };
    });
    return new SourceManifest(await Promise.all(sources));
  }

  /** With hashes as far as they are known, and as many digits in their place: for sizes. */
  records(): SourceRecords {
    const base = this.#sources.find(({ task }) => task === null);
    if (base === undefined) throw new RangeError('A group without a base has no such sources.');
    return { base: recordOf(base), tasks: this.#tasks() };
  }

  /**
   * The records with every hash: the Hub's own where it lists one, else from reading the file.
   *
   * @throws PeruError `source` when a file can not be read; the signal's reason once aborted
   */
  async hashedRecords(context: JobContext): Promise<SourceRecords> {
    await this.#hashAll(context);
    return this.records();
  }

  /** The same of a group without a base. */
  async hashedTasks(context: JobContext): Promise<readonly TaskRecord[]> {
    await this.#hashAll(context);
    return this.#tasks();
  }

  #tasks(): TaskRecord[] {
    const own = this.#sources.filter(({ task }) => task !== null);
    return own.map((source) => ({ task: source.task!, ...recordOf(source) }));
  }

  async #hashAll(context: JobContext): Promise<void> {
    const unknown = this.#sources.flatMap(({ repo, files }) =>
      files.filter(({ sha256 }) => sha256 === null).map((file) => ({ repo, file })),
    );
    const total = unknown.reduce((sum, { file }) => sum + file.bytes, 0);
    const progress = new ByteProgress(context.emit, total);
    for (const { repo, file } of unknown) {
      progress.stage(`Hashing ${fileLabel(repo, file.path)}`);
      file.sha256 = await hashFile(repo, file, context.signal, progress.add);
    }
  }
}

/** The index, where there is one, and the files that hold the tensors, by their paths inside the repo. */
function weightPaths(source: CheckpointSource, { tensors }: CheckpointTensors): string[] {
  const { weightsPath, openTensors } = source;
  // Tensors that lie nowhere as they are, but are made from the file that names the checkpoint.
  if (openTensors !== undefined) return [weightsPath];
  const start = fileLabel(source, '').length;
  const labels = [...tensors.values()].map(({ fileName }) => fileName.slice(start));
  return [...new Set([weightsPath, ...labels.sort()])];
}

async function openFile(repo: MaybeHub, path: string): Promise<SourceFile> {
  const { size } = await openRequired(repo, path);
  return { path, bytes: size, sha256: repo.listedSha256?.(path) ?? null };
}

function recordOf({ repo, files }: Source): SourceRecord {
  const { name, hub } = repo;
  const place = hub === undefined ? {} : { repo: hub.repo, commit: hub.commit };
  const folder = hub === undefined || hub.folder === '' ? {} : { folder: hub.folder };
  const records = files.map(({ path, bytes, sha256 }): FileRecord => {
    return { path, bytes, sha256: sha256 ?? HASH_PLACEHOLDER };
  });
  return { name, ...place, ...folder, files: records };
}

async function hashFile(
  repo: RepoSource,
  { path }: SourceFile,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<string> {
  const blob = await openRequired(repo, path, { signal });
  let done = 0;
  return sha256OfBlob(blob, fileLabel(repo, path), {
    signal,
    onProgress: ({ loadedBytes }) => {
      onBytes(loadedBytes - done);
      done = loadedBytes;
    },
  });
}
