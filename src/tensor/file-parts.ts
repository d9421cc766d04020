/** Reads many parts of files with as few reads as they allow: for remote files, requests. */
import { type ByteRange, type ByteRun, byteRuns } from '@/core/byte-runs';
import { type ByteSource } from './byte-source';
import { readRange } from './safetensors';

/** Bytes of a file, and where they go. */
export interface FilePart extends ByteRange {
  readonly source: ByteSource;
  /** For messages. */
  readonly fileName: string;
  /** Offset in the result. */
  readonly at: number;
}

type Run = ByteRun<FilePart>;

/** Share of a run that may lie between its parts: a small gap costs less than a request. */
const MAX_WASTE = 0.01;

/**
 * Reads parts into one run of bytes. Parts that lie side by side in a file, or nearly so, are one
 * read; reads run at the same time, as far as the file lets them.
 *
 * @param parts disjoint in their files, tiling the result from its first byte
 * @throws PeruError `source` when a file can not be read; the signal's reason once aborted
 */
export async function readParts(
  parts: readonly FilePart[],
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const runs = byteRuns(parts, ({ start, end, wasted }) => wasted <= MAX_WASTE * (end - start));
  const [run] = runs;
  if (run === undefined) return new Uint8Array(0);
  if (runs.length === 1 && isCopy(run)) return readRun(run, signal);
  const result = new Uint8Array(parts.reduce((sum, { start, end }) => sum + end - start, 0));
  const stop = new AbortController();
  const together = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const scatter = async (each: Run): Promise<void> => {
    const bytes = await readRun(each, together);
    for (const { start, end, at } of each.ranges) {
      result.set(bytes.subarray(start - each.start, end - each.start), at);
    }
  };
  try {
    await Promise.all(runs.map(scatter));
  } catch (error) {
    // What the others would still fetch is of no use any more.
    stop.abort(error);
    throw error;
  }
  return result;
}

function readRun(
  { ranges, start, end }: Run,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  return readRange(ranges[0].source, start, end, ranges[0].fileName, signal);
}

/** Whether a run, read as it lies in the file, is the result. */
function isCopy({ ranges, start, wasted }: Run): boolean {
  return wasted === 0 && ranges.every((part) => part.at === part.start - start);
}
