/**
 * Exports that files were handed out of stay on the disk until the second export from then, or until
 * the page closes: nothing tells when a browser has saved a file. Room that they take is free at the
 * latest when an export that found none is tried again.
 */
import { holdExports } from '@/worker/export/export-locks';

type Release = () => void;

/** Since the latest export was begun, and while the one before it stood. */
let latest: Release[] = [];
let before: Release[] = [];

/** Keeps what stands now. */
export async function keepHandedOut(): Promise<void> {
  latest.push(await holdExports());
}

/** An export is about to take the place of the one that stands. */
export function beginNextExport(): void {
  for (const release of before) release();
  before = latest;
  latest = [];
}
