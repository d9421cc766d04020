/** Low-rank products in float64: the twin of the kernels, over the same small core. */
import { decodeFloats } from '@/tensor/half';
import { type WeightData } from '@/tensor/weight-data';
import { invariantError } from '@/core/errors';
import {
  type AddedWeights,
  type BalancedFactors,
  type Factor,
  type FactorizationReport,
  type LowRankAddition,
  type LowRankGroup,
  type LowRankProduct,
} from '@/tensor/low-rank';
import { factorVectors } from './low-rank-delta';
import { type MemoryCount } from '@/core/memory-count';
import { column, type Columns, dot, svd, type Svd, transpose, zeros } from './svd';
import { qr } from './svd-qr';

/** Both factors of a product with all terms side by side, coefficients on the left. */
interface Sides {
  readonly left: Columns;
  readonly right: Columns;
}

export class ReferenceLowRankGroup implements LowRankGroup {
  readonly ranks: readonly number[];
  private readonly heldBytes: number;
  private factorized: readonly Svd[] | null = null;
  private report: FactorizationReport | null = null;
  private disposed = false;

  constructor(
    readonly products: readonly LowRankProduct[],
    private readonly memory: MemoryCount,
    private readonly onDispose: () => void,
  ) {
    this.ranks = products.map(({ rows, columns, terms }) =>
      Math.min(
        rows,
        columns,
        terms.reduce((sum, { rank }) => sum + rank, 0),
      ),
    );
    const factors = products.flatMap(factorsOf);
    this.heldBytes = factors.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    memory.add(this.heldBytes);
  }

  async countNonFinite(): Promise<Uint32Array> {
    const counts = this.products.map((product) =>
      factorsOf(product).reduce((sum, factor) => sum + nonFinite(factor), 0),
    );
    return Promise.resolve(Uint32Array.from(counts));
  }

  async factorize(): Promise<FactorizationReport> {
    if (!this.report) {
      const all = this.products.map(concatenated);
      const factorized = all.map(svdOfSides);
      this.factorized = factorized;
      this.report = {
        residual: Math.max(0, ...all.map((sides, i) => residual(sides, factorized[i]!))),
        orthogonality: Math.max(0, ...factorized.map(orthogonality)),
        sweeps: Math.max(0, ...factorized.map(({ sweeps }) => sweeps)),
        dispatches: 0,
      };
    }
    return Promise.resolve(this.report);
  }

  singularValues(product: number): Float32Array {
    return Float32Array.from(this.svdOf(product).sigma);
  }

  async balancedFactors(product: number, rank: number): Promise<BalancedFactors> {
    return Promise.resolve(this.balanced(product, rank));
  }

  async add(additions: readonly LowRankAddition[], location: 'cpu' | 'gpu'): Promise<AddedWeights> {
    if (location === 'gpu') throw invariantError('This engine has no GPU to put weights on.');
    const data = additions.map((addition) => this.sum(addition));
    return Promise.resolve({ data, dispose: () => undefined });
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.memory.remove(this.heldBytes);
    this.onDispose();
  }

  private svdOf(product: number, rank = 0): Svd {
    const found = this.factorized?.[product];
    if (!found) throw invariantError(`Product ${product} was asked for before it was factorised.`);
    if (!Number.isInteger(rank) || rank < 0 || rank > this.ranks[product]!) {
      throw invariantError(`Rank ${rank} was asked of a product of rank ${this.ranks[product]}.`);
    }
    return found;
  }

  private balanced(product: number, rank: number): BalancedFactors {
    const { u, sigma, v } = this.svdOf(product, rank);
    const a = new Float32Array(rank * v.rows);
    const b = new Float32Array(u.rows * rank);
    for (let k = 0; k < rank; k++) {
      const left = column(u, k);
      const root = signOf(left) * Math.sqrt(sigma[k]!);
      for (let i = 0; i < u.rows; i++) b[i * rank + k] = root * left[i]!;
      column(v, k).forEach((value, j) => (a[k * v.rows + j] = root * value));
    }
    return { rank, a, b };
  }

  private sum({ product: index, form, base }: LowRankAddition): Float32Array {
    const product = this.products[index];
    if (!product) throw invariantError(`There is no product ${index}.`);
    const { name, rows, columns } = product;
    const { left, right } =
      form.kind === 'terms' ? concatenated(product) : this.truncated(index, form.rank);
    const from = inMemory(base, name, rows * columns);
    const sums = Float64Array.from(from);
    for (let k = 0; k < left.columns; k++) {
      const [l, r] = [column(left, k), column(right, k)];
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) sums[i * columns + j]! += l[i]! * r[j]!;
      }
    }
    return Float32Array.from(sums);
  }

  private truncated(product: number, rank: number): Sides {
    const { a, b } = this.balanced(product, rank);
    const { rows, columns } = this.products[product]!;
    // Row-major [rows, rank] is a transposed matrix of columns.
    const left = transpose({ rows: rank, columns: rows, data: Float64Array.from(b) });
    return { left, right: { rows: columns, columns: rank, data: Float64Array.from(a) } };
  }
}

function factorsOf({ terms }: LowRankProduct): Factor[] {
  return terms.flatMap(({ left, right }) => [left, right]);
}

function nonFinite({ bytes, dtype }: Factor): number {
  let count = 0;
  for (const value of decodeFloats(bytes, dtype)) if (!Number.isFinite(value)) count++;
  return count;
}

function concatenated({ rows, columns, terms }: LowRankProduct): Sides {
  const rank = terms.reduce((sum, term) => sum + term.rank, 0);
  const [left, right] = [zeros(rows, rank), zeros(columns, rank)];
  let first = 0;
  for (const term of terms) {
    const scaled = factorVectors(term.left, rows, term.rank);
    left.data.set(
      scaled.map((value) => term.coefficient * value),
      first * rows,
    );
    right.data.set(factorVectors(term.right, columns, term.rank), first * columns);
    first += term.rank;
  }
  return { left, right };
}

/** QR of both factors, SVD of R_L R_Rᵀ, Q times its vectors. */
function svdOfSides({ left, right }: Sides): Svd {
  const [l, r] = [qr(left), qr(right)];
  const { u, sigma, v, sweeps } = svd(times(l.r, transpose(r.r)));
  return { u: times(l.q, u), sigma, v: times(r.q, v), sweeps };
}

function times(a: Columns, b: Columns): Columns {
  const out = zeros(a.rows, b.columns);
  for (let j = 0; j < b.columns; j++) {
    const sum = column(out, j);
    for (let k = 0; k < a.columns; k++) {
      const [from, factor] = [column(a, k), b.data[j * b.rows + k]!];
      for (let i = 0; i < a.rows; i++) sum[i]! += from[i]! * factor;
    }
  }
  return out;
}

/** ‖L Rᵀ - U S Vᵀ‖ / ‖L Rᵀ‖ by rows, nothing dense held. */
function residual({ left, right }: Sides, { u, sigma, v }: Svd): number {
  const [leftRows, uRows] = [transpose(left), transpose(u)];
  let [error, norm] = [0, 0];
  for (let i = 0; i < left.rows; i++) {
    const row = combined(right, column(leftRows, i));
    const other = combined(
      v,
      column(uRows, i).map((value, k) => value * sigma[k]!),
    );
    norm += dot(row, row);
    for (let j = 0; j < row.length; j++) error += (row[j]! - other[j]!) ** 2;
  }
  return norm === 0 ? 0 : Math.sqrt(error / norm);
}

/** Sum of the columns by weights. */
function combined(matrix: Columns, weights: Float64Array): Float64Array {
  const sum = new Float64Array(matrix.rows);
  weights.forEach((weight, k) => {
    const from = column(matrix, k);
    for (let i = 0; i < sum.length; i++) sum[i]! += weight * from[i]!;
  });
  return sum;
}

function orthogonality({ u, sigma, v }: Svd): number {
  let worst = 0;
  for (const vectors of [u, v]) {
    for (let i = 0; i < sigma.length; i++) {
      for (let j = i; j < sigma.length; j++) {
        if (sigma[j] === 0) continue;
        const wanted = i === j ? 1 : 0;
        worst = Math.max(worst, Math.abs(dot(column(vectors, i), column(vectors, j)) - wanted));
      }
    }
  }
  return worst;
}

/** Of the entry with the largest magnitude in float32, the first of equals. */
function signOf(u: Float64Array): 1 | -1 {
  let largest = 0;
  for (const value of Float32Array.from(u)) {
    if (Math.abs(value) > Math.abs(largest)) largest = value;
  }
  return largest < 0 ? -1 : 1;
}

function inMemory(base: WeightData, name: string, elementCount: number): Float32Array {
  if (base instanceof Float32Array && base.length === elementCount) return base;
  throw invariantError(
    `The weight "${name}" was expected in memory with ${elementCount} elements.`,
  );
}
