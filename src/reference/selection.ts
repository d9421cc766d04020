/** A selection in memory, and what it says of a piece. */
import { type Selection } from '@/tensor/engine';
import { type Piece } from '@/tensor/pieces';
import { type ScopeThreshold } from './select';

export interface ReferenceSelection extends Selection {
  /** By scope. */
  readonly thresholds: readonly ScopeThreshold[];
  /** State of its center and task when it was made; later changes make it stale. */
  readonly generation: number;
}

/** A piece, and what decides which of its entries are kept. */
export function selectedPiece<P extends Pick<Piece, 'tensor' | 'tensorStart' | 'flatStart'>>(
  { thresholds, scope }: Pick<ReferenceSelection, 'thresholds' | 'scope'>,
  piece: P,
) {
  const [scopeIndex, first] =
    scope === 'global' ? [0, piece.flatStart] : [piece.tensor, piece.tensorStart];
  return { piece, threshold: thresholds[scopeIndex]!, first };
}
