/**
 * The tables of a batch of low-rank products, as shaders/shared/lowrank_tables.wgsl reads them:
 * which product lies where in which buffer, and what each workgroup of each dispatch does.
 */
import { bytesPerElement } from '@/tensor/dtype';
import { type Factor, type LowRankProduct } from '@/tensor/low-rank';
import { DTYPE_CODES } from '@/kernels/weights/chunk-buffers';

/** Columns of a panel, and vectors of four floats that its triangles take. */
const PANEL = 16;
const TRIANGLE_VECTORS = 128;
const NO_EXPONENT = -100_000;
/** Words of a row of the fact table. */
export const FACT_WORDS = 4;
/** Vectors of the largest core that Jacobi does in workgroup memory (shared/jacobi_workgroup.wgsl). */
const WORKGROUP_CORE_VECTORS = 512;
/** Words that a workgroup of the search for NaN looks at. */
const SEARCH_WORDS = 16_384;
/** Factors start at multiples of this, whatever their dtype. */
const FACTOR_ALIGN = 4;

/** A run of the job table: the workgroups of one dispatch. */
export interface JobRun {
  readonly first: number;
  readonly count: number;
}

/** Where the bytes of a factor go in the arena. */
export interface PlacedFactor {
  readonly factor: Factor;
  readonly byteOffset: number;
}

/** Where a side of a product lies; also a row of the side table. */
export interface SidePlan {
  readonly length: number;
  readonly stride: number;
  readonly columns: number;
  readonly reflectors: number;
  readonly triplets: number;
  readonly base: number;
  readonly triangles: number;
  readonly firstColumn: number;
  readonly smallBase: number;
  readonly balancedBase: number;
  readonly firstProbe: number;
}

export interface BatchPlan {
  /** Index in the group of each of the batch's products. */
  readonly products: readonly number[];
  /** Left and right side of each product, in turn. */
  readonly sides: readonly SidePlan[];
  readonly firstTriplets: readonly number[];
  readonly factors: readonly PlacedFactor[];
  readonly words: {
    readonly sides: Uint32Array<ArrayBuffer>;
    readonly columns: Uint32Array<ArrayBuffer>;
    readonly products: Uint32Array<ArrayBuffer>;
    readonly jobs: Uint32Array<ArrayBuffer>;
  };
  readonly jobs: Readonly<Record<JobKind, JobRun>>;
  readonly arenaBytes: number;
  readonly columnCount: number;
  readonly tripletCount: number;
  readonly scratchVectors: number;
  readonly coreVectors: number;
  readonly smallVectors: number;
  readonly balancedVectors: number;
  readonly probeRows: number;
  /** Panels of reflectors of the largest side. */
  readonly panels: number;
  /** Columns of the largest core that stays in storage; 0 when none does. */
  readonly largestStorageCore: number;
}

type JobKind =
  'nonfinite' | 'gather' | 'core' | 'workgroup' | 'storage' | 'form' | 'probe' | 'orthogonality';

type Job = readonly [number, number, number, number];

/** Sum of the terms' ranks. */
export function columnsOf(product: LowRankProduct): number {
  return product.terms.reduce((sum, { rank }) => sum + rank, 0);
}

/** As many triplets as the product can have. */
export function tripletsOf(product: LowRankProduct): number {
  return Math.min(columnsOf(product), product.rows, product.columns);
}

/** Bytes of the largest buffer that factorising the product takes. */
export function scratchBytes(product: LowRankProduct): number {
  const { rows, columns } = product;
  const padded = padColumns(columnsOf(product));
  const panels = Math.ceil(padded / PANEL);
  return 16 * ((vectors(rows) + vectors(columns)) * padded + 2 * panels * TRIANGLE_VECTORS);
}

/** Flops of its largest dispatch: applying all reflectors to all triplets. */
export function largestWork(product: LowRankProduct): number {
  const wide = Math.max(PANEL, columnsOf(product));
  return 4 * (product.rows + product.columns) * wide * wide;
}

/** Rows of the column table that read the balanced factors, left and right of each product. */
export function balancedColumns(plan: BatchPlan, halfExponents: readonly number[]) {
  const rows: number[] = [];
  const firstColumns = plan.sides.map(({ balancedBase, stride, triplets }, s) => {
    const first = rows.length / COLUMN_WORDS;
    for (let k = 0; k < triplets; k++) {
      const exponent = halfExponents[s >> 1]!;
      const offset = 4 * (balancedBase + k * stride);
      pushColumn(rows, { offset, stride: 1, dtype: DTYPE_CODES.F32, exponent }, 1);
    }
    return first;
  });
  return { words: Uint32Array.from(rows), firstColumns };
}

/** Lays out products in one batch. */
export function planBatch(group: readonly LowRankProduct[], indices: readonly number[]): BatchPlan {
  const layout = new BatchLayout();
  for (const index of indices) layout.addProduct(group[index]!);
  return layout.finish(indices);
}

const COLUMN_WORDS = 5;

interface ColumnPlace {
  readonly offset: number;
  readonly stride: number;
  readonly dtype: number;
  readonly exponent: number;
}

/** Appends a row of the column table; its last word is a float32. */
function pushColumn(words: number[], place: ColumnPlace, mantissa: number): void {
  const bits = new Uint32Array(Float32Array.of(mantissa).buffer)[0]!;
  words.push(place.offset, place.stride, place.dtype, place.exponent >>> 0, bits);
}

/** Vectors that so many floats take. */
function vectors(floats: number): number {
  return Math.ceil(floats / 4);
}

function padColumns(columns: number): number {
  return 4 * vectors(columns);
}

/** c = mantissa 2^exponent, 1 <= |mantissa| < 2; in float32 the exponent of c may not fit. */
function splitCoefficient(c: number): { mantissa: number; exponent: number } {
  if (c === 0) return { mantissa: 0, exponent: NO_EXPONENT };
  const exponent = Math.max(-1022, Math.floor(Math.log2(Math.abs(c))));
  return { mantissa: c / 2 ** exponent, exponent };
}

/** Grows the tables product by product. */
class BatchLayout {
  private readonly sides: SidePlan[] = [];
  private readonly factors: PlacedFactor[] = [];
  private readonly columns: number[] = [];
  private readonly productWords: number[] = [];
  private readonly firstTriplets: number[] = [];
  private readonly jobs: Record<JobKind, Job[]> = {
    nonfinite: [],
    gather: [],
    core: [],
    workgroup: [],
    storage: [],
    form: [],
    probe: [],
    orthogonality: [],
  };
  private arenaBytes = 0;
  private triplets = 0;
  private scratch = 0;
  private cores = 0;
  private small = 0;
  private balanced = 0;
  private probes = 0;
  private panels = 0;
  private largestStorageCore = 0;

  addProduct(product: LowRankProduct): void {
    const index = this.firstTriplets.length;
    const left = this.addSide(index, product, 'left');
    const right = this.addSide(index, product, 'right');
    this.addCore(index, left, right);
    this.addProbes(index, right);
    this.firstTriplets.push(this.triplets);
    this.triplets += left.triplets;
  }

  finish(products: readonly number[]): BatchPlan {
    const words: number[] = [];
    const run = (kind: JobKind): JobRun => {
      const first = words.length / 4;
      for (const job of this.jobs[kind]) words.push(...job);
      return { first, count: this.jobs[kind].length };
    };
    const jobs = {
      nonfinite: run('nonfinite'),
      gather: run('gather'),
      core: run('core'),
      workgroup: run('workgroup'),
      storage: run('storage'),
      form: run('form'),
      probe: run('probe'),
      orthogonality: run('orthogonality'),
    };
    return {
      products,
      sides: this.sides,
      firstTriplets: this.firstTriplets,
      factors: this.factors,
      words: {
        sides: Uint32Array.from(this.sides.flatMap(sideWords)),
        columns: Uint32Array.from(this.columns),
        products: Uint32Array.from(this.productWords),
        jobs: Uint32Array.from(words),
      },
      jobs,
      arenaBytes: this.arenaBytes,
      columnCount: this.columns.length / COLUMN_WORDS,
      tripletCount: this.triplets,
      scratchVectors: this.scratch,
      coreVectors: this.cores,
      smallVectors: this.small,
      balancedVectors: this.balanced,
      probeRows: this.probes,
      panels: this.panels,
      largestStorageCore: this.largestStorageCore,
    };
  }

  private addSide(index: number, product: LowRankProduct, which: 'left' | 'right'): SidePlan {
    const length = which === 'left' ? product.rows : product.columns;
    const columns = columnsOf(product);
    const triplets = tripletsOf(product);
    const reflectors = Math.min(length, columns);
    const stride = vectors(length);
    const triangles = this.scratch + stride * padColumns(columns);
    const side: SidePlan = {
      length,
      stride,
      columns,
      reflectors,
      triplets,
      base: this.scratch,
      triangles,
      firstColumn: this.columns.length / COLUMN_WORDS,
      smallBase: this.small,
      balancedBase: this.balanced,
      firstProbe: this.probes,
    };
    const number = this.sides.push(side) - 1;
    this.scratch = triangles + Math.ceil(columns / PANEL) * TRIANGLE_VECTORS;
    this.small += vectors(reflectors) * padColumns(triplets);
    this.balanced += stride * padColumns(triplets);
    this.panels = Math.max(this.panels, Math.ceil(reflectors / PANEL));
    for (const term of product.terms) {
      const coefficient = which === 'left' ? term.coefficient : 1;
      this.addFactor(index, term[which], length, term.rank, coefficient);
    }
    forPanels(columns, (panel) => this.jobs.gather.push([number, panel, 0, 0]));
    forPanels(triplets, (panel) => {
      this.jobs.form.push([number, panel, 0, 0]);
      for (let other = panel; other < Math.ceil(triplets / PANEL); other++) {
        this.jobs.orthogonality.push([number, panel, other, 0]);
      }
    });
    return side;
  }

  private addFactor(index: number, factor: Factor, length: number, rank: number, c: number): void {
    const bytes = bytesPerElement(factor.dtype);
    const byteOffset = this.arenaBytes;
    this.factors.push({ factor, byteOffset });
    const byteLength = length * rank * bytes;
    this.arenaBytes += Math.ceil(byteLength / FACTOR_ALIGN) * FACTOR_ALIGN;
    const start = byteOffset / bytes;
    const { mantissa, exponent } = splitCoefficient(c);
    const dtype = DTYPE_CODES[factor.dtype];
    for (let k = 0; k < rank; k++) {
      const [offset, stride] =
        factor.vectors === 'rows' ? [start + k * length, 1] : [start + k, rank];
      pushColumn(this.columns, { offset, stride, dtype, exponent }, mantissa);
    }
    const endWord = this.arenaBytes / 4;
    for (let word = byteOffset / 4; word < endWord; word += SEARCH_WORDS) {
      const end = Math.min(endWord, word + SEARCH_WORDS);
      this.jobs.nonfinite.push([word, end, dtype, index]);
    }
  }

  private addCore(index: number, left: SidePlan, right: SidePlan): void {
    const { triplets } = left;
    const coreSize = triplets * vectors(Math.max(left.reflectors, right.reflectors));
    const rotationsSize = triplets * vectors(triplets);
    this.productWords.push(this.cores, this.cores + coreSize, this.triplets, 0);
    this.cores += coreSize + rotationsSize;
    forPanels(left.reflectors, (row) => {
      forPanels(right.reflectors, (column) => this.jobs.core.push([index, row, column, 0]));
    });
    if (coreSize + rotationsSize <= WORKGROUP_CORE_VECTORS) {
      this.jobs.workgroup.push([index, 0, 0, 0]);
    } else {
      this.jobs.storage.push([index, 0, 0, 0]);
      this.largestStorageCore = Math.max(this.largestStorageCore, triplets);
    }
  }

  private addProbes(index: number, right: SidePlan): void {
    const side = 2 * index + 1;
    forPanels(right.columns, (panel) => this.jobs.probe.push([side, PANEL * panel, 0, 0]));
    forPanels(right.triplets, (panel) => this.jobs.probe.push([side, PANEL * panel, 1, 0]));
    this.probes += right.columns + right.triplets;
  }
}

function forPanels(columns: number, visit: (panel: number) => void): void {
  for (let panel = 0; panel * PANEL < columns; panel++) visit(panel);
}

/** A row of the side table, in the order of its fields in the WGSL. */
function sideWords(side: SidePlan): number[] {
  return [
    side.length,
    side.stride,
    side.columns,
    side.reflectors,
    side.triplets,
    side.base,
    side.triangles,
    side.firstColumn,
    side.smallBase,
    side.balancedBase,
    side.firstProbe,
  ];
}
