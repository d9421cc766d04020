/** What telling the positions of kept entries costs, against the least that any code could take. */

export interface PositionCost {
  readonly kept: number;
  /** Bytes of all gaps, or of their Rice codes. */
  readonly gapBytes: number;
  /** N H(k / N) / 8: least bytes on average for a random choice of k among N. */
  readonly entropyBytes: number;
}

/**
 * @param costs of all tensors with kept entries
 * @param elementCount N: entries that were chosen from, all tensors together
 */
export function indexCost(
  costs: readonly Pick<PositionCost, 'kept' | 'gapBytes'>[],
  elementCount: number,
): PositionCost {
  const kept = costs.reduce((sum, cost) => sum + cost.kept, 0);
  const gapBytes = costs.reduce((sum, cost) => sum + cost.gapBytes, 0);
  return { kept, gapBytes, entropyBytes: entropyBytes(kept, elementCount) };
}

/** N H(k / N) / 8 bytes, with H the binary entropy in bits (Cover and Thomas, section 2.1). */
export function entropyBytes(kept: number, elementCount: number): number {
  if (kept <= 0 || kept >= elementCount) return 0;
  const share = kept / elementCount;
  const bits = -share * Math.log2(share) - (1 - share) * (Math.log1p(-share) / Math.LN2);
  return (elementCount * bits) / 8;
}
