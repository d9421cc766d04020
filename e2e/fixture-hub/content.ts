/** Files and repos of the fixture Hub: from memory, from disk, or made up on the fly. */
import { createHash } from 'node:crypto';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file that is read by ranges, so that it may be larger than memory. */
export interface FixtureFile {
  readonly size: number;
  /** SHA-256 of the content in hex. */
  readonly sha256: string;
  /** Large files lie in the content store, on another origin; small ones in git. */
  readonly large: boolean;
  /** Bytes [start, end). */
  read(start: number, end: number): Uint8Array | Promise<Uint8Array>;
}

export type FixtureFiles = ReadonlyMap<string, FixtureFile>;

export interface FixturePull {
  readonly num: number;
  readonly title: string;
  readonly author: string;
  readonly status: 'open' | 'closed' | 'merged';
}

export interface FixtureRepo {
  /** `owner/name`. */
  readonly id: string;
  /** Files by revision: branches, tags, `refs/pr/N`. Each set of files is a commit. */
  readonly revisions: Map<string, FixtureFiles>;
  readonly private?: boolean;
  readonly gated?: boolean;
  /** By its owner or the Hub: nobody sees it. */
  readonly disabled?: boolean;
  readonly pulls?: readonly FixturePull[];
  readonly tags?: readonly string[];
  /** Which of the revisions are tags of git; the others are branches or pull requests. */
  readonly versions?: readonly string[];
  readonly library?: string;
  readonly downloads?: number;
  readonly likes?: number;
  /** Whether large files may be had from the content-addressed store too. */
  readonly xet?: boolean;
}

/** Git LFS takes what is binary or above this size, on the Hub. */
const LARGE_BYTES = 10 * 1024 * 1024;

export function isLargeName(path: string, size: number): boolean {
  return size > LARGE_BYTES || /\.(?:safetensors|bin|parquet|pt|onnx)$/.test(path);
}

export function memoryFile(path: string, content: Uint8Array | string): FixtureFile {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  return {
    size: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    large: isLargeName(path, bytes.length),
    read: (start, end) => bytes.subarray(start, end),
  };
}

/** Files from memory, by path. */
export function memoryFiles(files: Readonly<Record<string, Uint8Array | string>>): FixtureFiles {
  return new Map(Object.entries(files).map(([path, bytes]) => [path, memoryFile(path, bytes)]));
}

/** Every file below a folder of the disk, read when it is asked for. */
export async function folderFiles(folder: string): Promise<FixtureFiles> {
  const files = new Map<string, FixtureFile>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const full = join(entry.parentPath, entry.name);
    const path = full.slice(folder.replace(/\/+$/, '').length + 1);
    files.set(path, await diskFile(full, path));
  }
  return files;
}

async function diskFile(full: string, path: string): Promise<FixtureFile> {
  const { size } = await stat(full);
  const sha256 = createHash('sha256')
    .update(await readFile(full))
    .digest('hex');
  return {
    size,
    sha256,
    large: isLargeName(path, size),
    read: async (start, end) => {
      const file = await open(full);
      try {
        const { buffer } = await file.read(new Uint8Array(end - start), 0, end - start, start);
        return buffer;
      } finally {
        await file.close();
      }
    },
  };
}

/** A repo with one branch. */
export function repoOf(
  id: string,
  files: FixtureFiles,
  more: Omit<Partial<FixtureRepo>, 'id' | 'revisions'> = {},
): FixtureRepo {
  return { ...more, id, revisions: new Map([['main', files]]) };
}

/** The commit that a set of files stands for. */
export function commitOf(id: string, files: FixtureFiles): string {
  const hash = createHash('sha1').update(id);
  for (const [path, { sha256 }] of [...files].sort()) hash.update(`\n${path} ${sha256}`);
  return hash.digest('hex');
}

/** What git calls a file: not its true object id, but as unique. */
export function oidOf({ sha256 }: FixtureFile): string {
  return createHash('sha1').update(sha256).digest('hex');
}
