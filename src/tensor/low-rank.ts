/**
 * What adapters need from whatever computes, beside `engine.ts`: sums of low-rank products, their
 * SVD by the small core (QR of both factors, SVD of what is left), and adding them to weights.
 *
 * Notation: a product is Δ = sum_k c_k L_k R_kᵀ, of shape [rows, columns]; L_k is rows x rank,
 * R_k is columns x rank. A PEFT adapter of one module is one term with L = lora_B, R = lora_Aᵀ and
 * c = lora_alpha / r; merged adapters are one term a task, kept side by side, without cross terms.
 */
import { type FloatDtype } from './dtype';
import { type WeightData } from './weight-data';

/** `rank` vectors of one length, as they lie in a file. */
export interface Factor {
  /** length x rank elements of `dtype`, row-major. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly dtype: FloatDtype;
  /** `rows`: [rank, length], as PEFT's lora_A; `columns`: [length, rank], as its lora_B. */
  readonly vectors: 'rows' | 'columns';
}

/** coefficient * left rightᵀ */
export interface LowRankTerm {
  readonly rank: number;
  readonly coefficient: number;
  readonly left: Factor;
  readonly right: Factor;
}

/** What is added to one weight. */
export interface LowRankProduct {
  /** For messages: the weight's name. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** At least one. */
  readonly terms: readonly LowRankTerm[];
}

/** How well a factorisation reproduces its product, measured on the device after it. */
export interface FactorizationReport {
  /**
   * Most that ‖Δ - U S Vᵀ‖ / ‖Δ‖ (Frobenius) is, over all products; 0 for products that are 0. An
   * estimate, but in the float64 twin, from what both do to four fixed pseudorandom vectors of signs
   * (Hutchinson): right within a factor of about two, without ever forming Δ.
   */
  readonly residual: number;
  /** Most that max |UᵀU - I| or max |VᵀV - I| is, over the triplets whose σ is not 0. */
  readonly orthogonality: number;
  /** Most sweeps that one-sided Jacobi needed. */
  readonly sweeps: number;
  /** Compute dispatches of the whole factorisation; does not grow with the number of products. */
  readonly dispatches: number;
}

/** A truncated product as PEFT stores it, with scale 1: Δ = b a. Signs: see `LowRankGroup`. */
export interface BalancedFactors {
  readonly rank: number;
  /** sqrt(S_q) V_qᵀ, [rank, columns] row-major: lora_A. */
  readonly a: Float32Array<ArrayBuffer>;
  /** U_q sqrt(S_q), [rows, rank] row-major: lora_B. */
  readonly b: Float32Array<ArrayBuffer>;
}

/** Which form of product i is added to weight i. */
export type AddedProduct =
  /** The terms as they came. */
  | { readonly kind: 'terms' }
  /** The leading triplets of the factorisation, from the factors that would be written. */
  | { readonly kind: 'truncated'; readonly rank: number };

export interface LowRankAddition {
  /** Index of the product in the group. */
  readonly product: number;
  readonly form: AddedProduct;
  /** [rows, columns] row-major float32, in memory or on the engine's device; not changed. */
  readonly base: WeightData;
}

/** New weights, one an addition, in their order. */
export interface AddedWeights {
  readonly data: readonly WeightData[];
  /** Frees GPU buffers, and counts them as freed. */
  dispose(): void;
}

/**
 * Products on the engine. `factorize` runs once; every rank after it is a prefix.
 * Singular values are descending; of each pair of vectors, the entry of u with the largest
 * magnitude (the first of equals) is positive.
 */
export interface LowRankGroup {
  readonly products: readonly LowRankProduct[];
  /** min(sum of the terms' ranks, rows, columns) a product: as many triplets as it can have. */
  readonly ranks: readonly number[];
  /** NaN and Inf in all factors of each product, looked for on the raw bits. */
  countNonFinite(): Promise<Uint32Array>;
  /**
   * SVD of every product, all of them together. Idempotent.
   *
   * @throws PeruError 'internal' naming a product whose Jacobi sweeps did not converge
   */
  factorize(): Promise<FactorizationReport>;
  /** `ranks[product]` singular values, descending; `factorize` must have settled. */
  singularValues(product: number): Float32Array;
  /** The factors of the leading `rank` triplets; `factorize` must have settled. */
  balancedFactors(product: number, rank: number): Promise<BalancedFactors>;
  /**
   * base + Δ for each addition, in f32, into new weights where the bases lie: a Float32Array in
   * memory (`cpu`) or one GPU buffer each (`gpu`), held until the caller disposes them.
   */
  add(additions: readonly LowRankAddition[], location: 'cpu' | 'gpu'): Promise<AddedWeights>;
  dispose(): void;
}
