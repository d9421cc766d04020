/** Reads many parts of files with as few reads as they allow: for remote files, requests. */
import { type ByteSource } from './byte-source';
import { readRange } from './safetensors';

/** Bytes [start, end) of a file, and where they go. */
export interface FilePart {
  readonly blob: ByteSource;
  /** For messages. */
  readonly fileName: string;
  readonly start: number;
  readonly end: number;
  /** Offset in the result. */
  readonly at: number;
}

/** Parts of one file that are read at once. */
interface Run {
  readonly parts: FilePart[];
  readonly start: number;
  end: number;
  /** Bytes between the parts, read and thrown away. */
  wasted: number;
}

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
  const runs = coalesce(parts);
  const [run] = runs;
  if (run === undefined) return new Uint8Array(0);
  if (runs.length === 1 && isCopy(run)) return readRun(run, signal);
  const result = new Uint8Array(parts.reduce((sum, { start, end }) => sum + end - start, 0));
  const stop = new AbortController();
  const together = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const scatter = async (each: Run): Promise<void> => {
    const bytes = await readRun(each, together);
    for (const { start, end, at } of each.parts) {
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
  { parts, start, end }: Run,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  return readRange(parts[0]!.blob, start, end, parts[0]!.fileName, signal);
}

/** Whether a run, read as it lies in the file, is the result. */
function isCopy({ parts, start, wasted }: Run): boolean {
  return wasted === 0 && parts.every((part) => part.at === part.start - start);
}

function coalesce(parts: readonly FilePart[]): Run[] {
  const byFile = new Map<ByteSource, FilePart[]>();
  for (const part of parts) {
    const others = byFile.get(part.blob);
    if (others === undefined) byFile.set(part.blob, [part]);
    else others.push(part);
  }
  return [...byFile.values()].flatMap((ofFile) => {
    ofFile.sort((a, b) => a.start - b.start);
    return coalesceSorted(ofFile);
  });
}

function coalesceSorted(parts: readonly FilePart[]): Run[] {
  const runs: Run[] = [];
  for (const part of parts) {
    const run = runs.at(-1);
    const wasted = run === undefined ? 0 : run.wasted + part.start - run.end;
    if (run !== undefined && wasted <= MAX_WASTE * (part.end - run.start)) {
      run.parts.push(part);
      run.end = part.end;
      run.wasted = wasted;
    } else {
      runs.push({ parts: [part], start: part.start, end: part.end, wasted: 0 });
    }
  }
  return runs;
}
