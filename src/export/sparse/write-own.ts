/** What both versions of the sparse file share: tensors that a task keeps whole. */
import { PeruError } from '@/core/errors';
import { entryBytes } from '@/export/safetensors-writer';
import { exactly, type FileWriter, pieces } from '@/export/written-file';
import { type OwnEntry, type SparseHeader } from './sparse-size';

/** Bytes [start, end) of a tensor that the task keeps whole, as the task's file has them. */
export type ReadOwn = (
  name: string,
  start: number,
  end: number,
) => Promise<Uint8Array<ArrayBuffer>>;

export async function writeOwn(
  file: FileWriter,
  { entries, header }: SparseHeader,
  {
    ownTensors = [],
    readOwn,
  }: { readonly ownTensors?: readonly OwnEntry[]; readonly readOwn: ReadOwn },
): Promise<void> {
  const own = new Set(ownTensors.map(({ name }) => name));
  for (const [i, entry] of entries.entries()) {
    if (!own.has(entry.name)) continue;
    for (const [start, end] of pieces(entryBytes(entry))) {
      const bytes = await readOwn(entry.name, start, end);
      await file.write(exactly(bytes, end - start, entry.name), header.starts[i]! + start);
    }
  }
}

/** What was encoded is not what the header was made for. */
export function differs(path: string, what: string): PeruError {
  return new PeruError(
    'internal',
    `${path} could not be written: ${what}, which is not what its kept entries take.`,
    'This is a fault in Peru: please report it with the steps that led here.',
  );
}
