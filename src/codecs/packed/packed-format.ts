/**
 * Kept values in few bits: a sign, and which of a task's magnitudes (`codebook.ts`). With positions as
 * Rice codes (`block-code.ts`) they are version 2 of the sparse file.
 */
export const PACKED_FORMATS = ['Q4', 'Q3', 'Q2', 'Q1'] as const;

/** Q and the bits of a value, its sign among them. */
export type PackedFormat = (typeof PACKED_FORMATS)[number];

export function isPacked(format: string): format is PackedFormat {
  return (PACKED_FORMATS as readonly string[]).includes(format);
}

export function bitsPerValue(format: PackedFormat): number {
  return Number(format.slice(1));
}

/**
 * The width that gave the best accuracy for its bytes at this m, of all measured on the embedded zoo
 * (full fine-tunes, accuracy against bytes of files: the curves of two widths cross there).
 *
 * @param keptPercent m
 */
export function formatFor(keptPercent: number): PackedFormat {
  if (keptPercent < 2) return 'Q1';
  if (keptPercent < 5) return 'Q2';
  return keptPercent < 11 ? 'Q3' : 'Q4';
}

/** Magnitudes of a codebook. */
export function levelCount(format: PackedFormat): number {
  return 2 ** (bitsPerValue(format) - 1);
}
