/**
 * Exports that files were handed out of stay on the disk until the second export from then, or until
 * the page closes: nothing tells when a browser has saved a file. Room that they take is free at the
 * latest when an export that found none is tried again.
 */
import { holdExports } from '@/platform/browser/export-locks';

type Release = () => void;

/** Of the export that stands, and of the one before it. */
let latest: Release[] = [];
let before: Release[] = [];

/** Keeps what stands now. */
export async function retainExport(): Promise<void> {
  latest.push(await holdExports());
}

/** An export is about to be made, and needs room. */
export function releaseBefore(): void {
  for (const release of before) release();
  before = [];
}

/** An export took the place of the one that stood, or would have, had there been room. */
export function retainNext(): void {
  before = latest;
  latest = [];
}
