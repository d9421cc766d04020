/** The whole export as one zip, stored without compression, streamed to disk beside the export. */
import { loadPart } from '@/core/load-part';
import { type JobContext } from '@/jobs/context/job-context';
import { ByteProgress } from '@/jobs/context/byte-progress';
import { refuseWithoutRoom } from '@/jobs/context/disk-room';
import { type ExportStore, type StagingFolder } from '@/jobs/context/export-store';
import { type StagedExport } from '@/jobs/context/export-store';

/** Named as the visitor's copy will be. */
const ZIP_FILE = 'peru-export.zip';

/** The earliest date that a zip can hold: the same files give the same zip on any day. */
const NO_DATE = new Date(1980, 0, 1);

export interface MadeZip {
  /** Where it lies alone. */
  readonly folder: StagingFolder;
  /** @throws PeruError `source` when it is not there any more */
  open(): Promise<File>;
}

/**
 * Packs the files in their order. A failed or cancelled zip leaves nothing.
 *
 * @throws PeruError `out-of-disk`; the signal's reason once aborted
 */
export async function zipExport(
  staged: StagedExport,
  store: ExportStore,
  { emit, signal }: JobContext,
): Promise<MadeZip> {
  const { makeZip, predictLength } = await loadPart(() => import('client-zip'));
  const sizes = staged.files.map(({ path, bytes }) => ({ name: path, size: bytes }));
  const zipBytes = Number(predictLength(sizes));
  refuseWithoutRoom('The zip', zipBytes, await store.freeBytes());
  const progress = new ByteProgress(emit, zipBytes);
  progress.stage('Packing the zip');
  const folder = await store.create();
  try {
    const zip = await folder.create(ZIP_FILE);
    let at = 0;
    await drain(makeZip(zipEntries(staged)) as ByteStream, async (piece) => {
      signal.throwIfAborted();
      await zip.write(piece, at);
      at += piece.length;
      progress.add(piece.length);
    });
    await zip.close();
    return { folder, open: () => folder.open(ZIP_FILE) };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** Opened one after the other, each when its turn comes. */
async function* zipEntries(staged: StagedExport) {
  for (const { path, bytes } of staged.files) {
    yield { name: path, size: bytes, lastModified: NO_DATE, input: await staged.open(path) };
  }
}

/** What streams give is never shared between threads, though their types do not say so. */
type ByteStream = ReadableStream<Uint8Array<ArrayBuffer>>;

/** Not every browser can iterate a stream. */
async function drain(
  stream: ByteStream,
  take: (piece: Uint8Array<ArrayBuffer>) => Promise<void>,
): Promise<void> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      await take(value);
    }
  } catch (error) {
    await reader.cancel(error).catch(() => undefined);
    throw error;
  }
}
