import { type LoraModule } from './lora-adapter';

/** Shapes of a module's factors, whichever way round they are stored. */
export interface FactorShapes {
  /** [rank, in], or of a convolution [rank, in, ...kernel]. */
  readonly a: readonly number[];
  /** [out, rank], and ones behind of a convolution. */
  readonly b: readonly number[];
}

/** As `b a` takes them. */
export function factorShapes({
  a,
  b,
  isTransposed,
}: Pick<LoraModule, 'a' | 'b' | 'isTransposed'>): FactorShapes {
  if (!isTransposed) return { a: a.shape, b: b.shape };
  return { a: [...a.shape].reverse(), b: [...b.shape].reverse() };
}
