/** Room on disk: asked for before anything is written, and missed in the middle. */
import { PeruError } from '@/core/errors';

const MAKE_ROOM =
  'Wait until earlier downloads are saved, then export again: their room is free then. Else free space on this disk or remove files kept from the Hub; fewer kept entries or smaller dtypes make smaller files.';

/**
 * Refuses what can not fit, before a byte of it is written.
 *
 * @param freeBytes null where the browser does not tell
 * @throws PeruError `out-of-disk` with both numbers
 */
export function refuseWithoutRoom(
  what: string,
  neededBytes: number,
  freeBytes: number | null,
): void {
  if (freeBytes === null || neededBytes <= freeBytes) return;
  throw new PeruError(
    'out-of-disk',
    `${what} needs ${sizeText(neededBytes)} on this disk; the browser grants ${sizeText(freeBytes)}.`,
    MAKE_ROOM,
  );
}

/**
 * What is thrown when a file finds no room half-way.
 *
 * @param place bytes of it that stand, and bytes that were to follow at once
 */
export function outOfDisk(
  path: string,
  { at, more }: { readonly at: number; readonly more: number },
  freeBytes: number | null,
  cause?: unknown,
): PeruError {
  const free = freeBytes === null ? '' : `; the browser grants ${sizeText(freeBytes)}`;
  return new PeruError(
    'out-of-disk',
    `The disk is full: ${path} stands at ${sizeText(at)} and needs at least ${sizeText(more)} more${free}.`,
    MAKE_ROOM,
    { cause },
  );
}

/** Whether a write failed for want of room. */
export function isOutOfRoom(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError';
}

/** `12 kB`, `3.4 MB`. */
function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
