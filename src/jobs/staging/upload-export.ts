/** Takes an export to the Hub. */
// Types alone: the code comes when it is first needed.
import type { UploadFile, UploadProgress } from '@/hub/upload/upload';
import { loadPart } from '@/core/load-part';
import { type StagedExport } from '@/jobs/context/export-store';
import { type JobContext } from '@/jobs/context/job-context';
import { type UploadRequest } from '@/protocol/requests';

/** First line of the commit's message. */
const TITLE = 'Add a merge made with Peru';

/**
 * Uploads all files of an export to a model repo in one commit, making the repo where there is none,
 * and tells `uploaded`.
 *
 * @throws PeruError when a file is gone or the Hub refuses; the signal's reason once aborted
 */
export async function uploadExport(
  request: UploadRequest,
  staged: StagedExport,
  { emit, signal }: JobContext,
): Promise<void> {
  const [files, { uploadToHub }] = await Promise.all([
    opened(staged),
    loadPart(() => import('@/hub/upload/upload')),
  ]);
  signal.throwIfAborted();
  const onProgress = ({ step, done, total }: UploadProgress): void => {
    const stage =
      step === 'hashing' ? 'Reading the files to upload' : `Uploading to ${request.repo}`;
    emit({ type: 'progress', progress: { stage, done, total, unit: 'bytes' } });
  };
  const { url, commit } = await uploadToHub({
    ...request,
    files,
    title: TITLE,
    signal,
    onProgress,
    onPause: (pause) => {
      emit({ type: 'pause', pause });
    },
  });
  emit({ type: 'uploaded', url, commit });
}

/** Handles of files on disk: nothing of them is read here. */
function opened(staged: StagedExport): Promise<UploadFile[]> {
  return Promise.all(
    staged.files.map(async ({ path, sha256, bytes }) => {
      return { path, sha256, bytes, blob: await staged.open(path) };
    }),
  );
}
