/** Low-rank products on threads: each factorises products, or adds them to rows of weights, whole. */
import { transfer } from 'comlink';
import { invariantError, PeruError } from '@/core/errors';
import { type MemoryCount } from '@/core/memory-count';
import {
  type AddedWeights,
  type BalancedFactors,
  type FactorizationReport,
  type LowRankAddition,
  type LowRankGroup,
  type LowRankProduct,
} from '@/tensor/low-rank';
import { type Crew } from './crew/crew';
import { shareOut } from './crew/share-out';
import {
  balancedFactorsOf,
  byteLengthOf,
  paddedSigma,
  reportOf,
  truncatedProduct,
} from './low-rank/factorized';
import { type FactorizedProduct } from './low-rank/factorize-product';
import { assertSound, factorsOf, tripletsOf } from './low-rank/factors';
import { countNonFinite } from './low-rank/non-finite';
import { copyOf, rowsOfPart, rowsOfProduct, runsOf } from './low-rank/product-parts';

/** Some rows of a weight. */
interface Part {
  readonly addition: number;
  readonly first: number;
  readonly end: number;
}

/** What is added to a base. */
interface Sum {
  readonly product: LowRankProduct;
  readonly base: Float32Array;
}

export class ProcessorLowRankGroup implements LowRankGroup {
  readonly products: readonly LowRankProduct[];
  readonly ranks: readonly number[];
  readonly #crew: Crew;
  readonly #memory: MemoryCount;
  readonly #onDispose: () => void;
  #factorizing: Promise<FactorizationReport> | null = null;
  /** By product, once `factorize` has settled. */
  #factorized: readonly FactorizedProduct[] = [];
  #heldBytes = 0;
  #disposed = false;

  /** @throws PeruError `internal` for factors whose bytes are not those of their shape */
  constructor(
    products: readonly LowRankProduct[],
    crew: Crew,
    memory: MemoryCount,
    onDispose: () => void,
  ) {
    products.forEach(assertSound);
    this.products = products;
    this.ranks = products.map(tripletsOf);
    this.#crew = crew;
    this.#memory = memory;
    this.#onDispose = onDispose;
    this.#hold(products.flatMap(factorsOf).reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
  }

  /** On the calling thread: looking takes no longer than sending would. */
  async countNonFinite(): Promise<Uint32Array> {
    this.#assertUsable();
    const counts = this.products.map((product) =>
      factorsOf(product).reduce((sum, factor) => sum + countNonFinite(factor), 0),
    );
    return Promise.resolve(Uint32Array.from(counts));
  }

  factorize(): Promise<FactorizationReport> {
    if (!this.#factorizing) {
      const work = this.#factorizeAll();
      this.#factorizing = work;
      work.catch(() => (this.#factorizing = null)); // a later call tries again
    }
    return this.#factorizing;
  }

  singularValues(product: number): Float32Array {
    return paddedSigma(this.#found(product), this.ranks[product]!);
  }

  async balancedFactors(product: number, rank: number): Promise<BalancedFactors> {
    const found = this.#found(product, rank);
    return Promise.resolve(balancedFactorsOf(this.products[product]!, found, rank));
  }

  async add(additions: readonly LowRankAddition[], location: 'cpu' | 'gpu'): Promise<AddedWeights> {
    this.#assertUsable();
    if (location === 'gpu') throw invariantError('This engine has no GPU to put weights on.');
    const sums = additions.map((addition) => this.#sumOf(addition));
    const parts = sums.flatMap(({ product }, addition) => partsOf(product, addition));
    const data: Float32Array<ArrayBuffer>[] = [];
    await shareOut(this.#crew, parts, async (thread, { addition, first, end }) => {
      this.#assertUsable();
      const { product, base } = sums[addition]!;
      const { rows, columns } = product;
      const sent = base.slice(first * columns, end * columns);
      const part = await thread.addProduct(
        rowsOfProduct(product, first, end),
        transfer(sent, [sent.buffer]),
      );
      if (end - first === rows) data[addition] = part;
      else (data[addition] ??= new Float32Array(base.length)).set(part, first * columns);
    });
    return { data, dispose: () => undefined };
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#factorized = [];
    this.#memory.remove(this.#heldBytes);
    this.#onDispose();
  }

  async #factorizeAll(): Promise<FactorizationReport> {
    this.#assertUsable();
    const found: FactorizedProduct[] = [];
    await shareOut(this.#crew, runsOf(this.products), async (thread, run) => {
      this.#assertUsable();
      const copies = run.map((index) => copyOf(this.products[index]!));
      const buffers = copies.flatMap(factorsOf).map(({ bytes }) => bytes.buffer);
      const answers = await thread.factorizeProducts(transfer(copies, buffers));
      answers.forEach((answer, k) => (found[run[k]!] = answer));
    });
    this.#assertUsable();
    assertConverged(this.products, found);
    this.#factorized = found;
    this.#hold(found.reduce((sum, product) => sum + byteLengthOf(product), 0));
    return reportOf(found);
  }

  #sumOf({ product: index, form, base }: LowRankAddition): Sum {
    const product = this.products[index];
    if (!product) throw invariantError(`There is no product ${index}.`);
    const { name, rows, columns } = product;
    if (!(base instanceof Float32Array) || base.length !== rows * columns) {
      throw invariantError(
        `The weight "${name}" was expected in memory with ${rows} x ${columns} elements.`,
      );
    }
    if (form.kind === 'terms') return { product, base };
    return { product: truncatedProduct(product, this.#found(index, form.rank), form.rank), base };
  }

  /** @throws PeruError `internal` before `factorize`, or for a rank that the product cannot have */
  #found(product: number, rank = 0): FactorizedProduct {
    const found = this.#factorized[product];
    if (!found) throw invariantError(`Product ${product} was asked for before it was factorised.`);
    if (!Number.isInteger(rank) || rank < 0 || rank > this.ranks[product]!) {
      throw invariantError(`Rank ${rank} was asked of a product of rank ${this.ranks[product]}.`);
    }
    return found;
  }

  #hold(byteLength: number): void {
    this.#heldBytes += byteLength;
    this.#memory.add(byteLength);
  }

  #assertUsable(): void {
    if (this.#disposed) throw invariantError('These adapters were disposed of.');
  }
}

function partsOf(product: LowRankProduct, addition: number): Part[] {
  const most = rowsOfPart(product);
  return Array.from({ length: Math.ceil(product.rows / most) }, (_, i) => ({
    addition,
    first: i * most,
    end: Math.min(product.rows, (i + 1) * most),
  }));
}

function assertConverged(
  products: readonly LowRankProduct[],
  found: readonly FactorizedProduct[],
): void {
  const stuck = found.findIndex(({ converged }) => !converged);
  if (stuck < 0) return;
  throw new PeruError(
    'internal',
    `The SVD for "${products[stuck]!.name}" did not converge in ${found[stuck]!.sweeps} sweeps.`,
    'Please report this fault in Peru with the names of the adapters.',
  );
}
