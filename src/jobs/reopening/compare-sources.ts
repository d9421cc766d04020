/** Whether what was opened is what a recipe was made from, by size and content hash. */
import { finding } from '@/plan/findings/finding';
import { type Finding } from '@/plan/preflight';
import {
  fileLabel,
  type OpenOptions,
  type RepoSource,
} from '@/formats/checkpoint/checkpoint-source';
import { sha256Of } from '@/formats/checkpoint/content-hash';
import { type FileRecord, type SourceRecord } from '@/recipe/recipe-file';

/** A source as the recipe records it, and the one that was opened in its place. */
export interface RecordedSource {
  readonly record: SourceRecord;
  readonly repo: RepoSource & { readonly weightsPath?: string };
}

/**
 * Files of the Hub are compared by the hashes it lists; others are read as a stream.
 *
 * @returns a warning for each file that differs or is missing; a word of agreement where none is
 * @throws PeruError when a file can not be read; the signal's reason once aborted
 */
export async function compareSources(
  sources: readonly RecordedSource[],
  options: OpenOptions,
): Promise<Finding[]> {
  const differing: Finding[] = [];
  for (const { record, repo } of sources) {
    for (const file of record.files) {
      const path = pathOf(repo, record, file);
      const what = await difference(repo, { ...file, path }, options);
      if (what !== null) differing.push(warning(repo, path, what));
    }
  }
  if (differing.length > 0) return differing;
  return [
    finding({
      level: 'ok',
      topic: 'sources',
      title: 'The files are those that the recipe was made from, by SHA-256.',
    }),
  ];
}

/** Whether a source holds every file of a record, by size and content. */
export async function isRecorded(
  { record, repo }: RecordedSource,
  options: OpenOptions,
): Promise<boolean> {
  for (const file of record.files) {
    const path = pathOf(repo, record, file);
    if ((await difference(repo, { ...file, path }, options)) !== null) return false;
  }
  return record.files.length > 0;
}

/** A checkpoint of one file may be called anything. */
function pathOf(
  repo: RecordedSource['repo'],
  { files }: SourceRecord,
  { path }: FileRecord,
): string {
  return files.length === 1 ? (repo.weightsPath ?? path) : path;
}

async function difference(
  repo: RepoSource,
  { path, bytes, sha256 }: FileRecord,
  options: OpenOptions,
): Promise<string | null> {
  const blob = await repo.open(path, options);
  if (blob === null) return 'is missing';
  if (blob.size !== bytes) return `has ${blob.size} bytes, not ${bytes}`;
  const found = await sha256Of(repo, path, options);
  return found === sha256
    ? null
    : `has SHA-256 ${found.slice(0, 12)}…, not ${sha256.slice(0, 12)}…`;
}

function warning(repo: RepoSource, path: string, what: string): Finding {
  return finding({
    level: 'warning',
    topic: 'sources',
    title: `${fileLabel(repo, path)} is not the file that the recipe was made from: it ${what}.`,
    detail: 'Results will differ from the recipe’s. Add the file it names, or go on with this one.',
  });
}
