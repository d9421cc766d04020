/** What the controls of the export do: make the files, and take them along. */
import { PeruError } from '@/core/errors';
import { signInStore } from './sign-in';
import { hubStore } from '@/store/state/hub';
import { forgetFailure, raiseAlert, startJob } from './run-job';
import { jobStore } from '@/store/state/job';
import { writeLink } from '@/store/recipe/link';
import { linkedSource } from '@/store/recipe/linked-source';
import { recipeStore } from '@/store/state/recipe';
import { currentResultsFile } from './download';
import { resultsStore } from '@/store/state/results';
import { sourcesStore } from '@/store/state/sources';
import { connectedWorker } from '@/store/state/worker-handle';
import { resetExport } from '@/store/export/edits';
import { retainNext, retainExport, releaseBefore } from '@/store/export/retained-exports';
import { canTakeAlong, exportReadiness } from '@/store/export/readiness';
import { exportStore, type UploadTarget } from '@/store/state/export';

/**
 * Makes the files of the results on the page; nothing happens while these are not complete.
 *
 * @param pageAddress of this page, whatever query it has: what a link to the recipe begins with
 */
export async function exportFiles(pageAddress: string): Promise<void> {
  const results = currentResultsFile();
  if (results === null || readiness() !== 'ready') return;
  const recipe = recipeStore.getState().committed;
  const request = { recipe, results, link: linkTo(pageAddress) };
  const { made } = exportStore.getState();
  releaseBefore();
  const isMade = await startAgain('export', (onEvent) =>
    connectedWorker().export(request, onEvent),
  );
  if (isMade || jobStore.getState().job.status === 'failed') retainNext();
  // It took the place of the one before, whatever came of it.
  if (!isMade && exportStore.getState().made === made) resetExport();
}

/** One file of the export; null, with an alert, where it can not be had any more. */
export async function exportedFile(path: string): Promise<File | null> {
  try {
    const file = await connectedWorker().exportedFile(path);
    if (file === null) throw gone(path);
    await retainExport();
    return file;
  } catch (error) {
    raiseAlert(error);
    return null;
  }
}

/** The whole export as one zip, packed once; null where packing it ended early. */
export async function zipExport(): Promise<File | null> {
  if (!canTakeAlong(exportStore.getState(), jobStore.getState())) return null;
  exportStore.setState({ zip: null });
  const isPacked = await startAgain('zip', (onEvent) => connectedWorker().zip(onEvent));
  const { zip } = exportStore.getState();
  if (!isPacked || zip === null) return null;
  await retainExport();
  return zip;
}

/** Copies the export into a folder of the visitor's. */
export async function saveExport(folder: FileSystemDirectoryHandle): Promise<void> {
  if (!canTakeAlong(exportStore.getState(), jobStore.getState())) return;
  exportStore.setState({ savedTo: null });
  const isSaved = await startAgain('save', (onEvent) => connectedWorker().saveTo(folder, onEvent));
  if (isSaved) exportStore.setState({ savedTo: folder.name });
}

/** Uploads the export to the Hub in use, as whoever the token there is belongs to. */
export async function uploadExport(target: UploadTarget): Promise<void> {
  if (!canTakeAlong(exportStore.getState(), jobStore.getState())) return;
  const { hubUrl, accessToken } = hubStore.getState();
  exportStore.setState({ target, uploaded: null });
  const request = {
    repo: target.repo,
    private: target.isPrivate,
    ...(hubUrl === null ? {} : { hubUrl }),
    accessToken,
    signedIn: signInStore.getState().status === 'in',
  };
  await startAgain('upload', (onEvent) => connectedWorker().upload(request, onEvent));
}

/** Its buttons are its way to try again: what an earlier try failed by is told no longer. */
function startAgain(...job: Parameters<typeof startJob>): ReturnType<typeof startJob> {
  forgetFailure();
  return startJob(...job);
}

function readiness(): ReturnType<typeof exportReadiness> {
  return exportReadiness({
    job: jobStore.getState().job,
    weights: sourcesStore.getState().weights,
    complete: resultsStore.getState().complete,
    committed: recipeStore.getState().committed,
  });
}

/** Null for files of a disk, and for a page of this machine: neither can be opened elsewhere. */
function linkTo(pageAddress: string): string | null {
  const source = linkedSource();
  if (!pageAddress.startsWith('https:')) return null;
  if (source.request === null || source.request.kind === 'files') return null;
  const search = writeLink('', source, recipeStore.getState().committed);
  return new URL(search, pageAddress).href;
}

function gone(path: string): PeruError {
  return new PeruError(
    'source',
    `The exported file ${path} is not there any more.`,
    'Export again.',
  );
}
