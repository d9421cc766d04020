/** For the tests of the processor's low-rank products: made-up ones. */
import { type FloatDtype } from '@/tensor/dtype';
import { encodeFloats } from '@/tensor/half';
import { type Factor, type LowRankProduct } from '@/tensor/low-rank';
import { drawn } from './matrices.fixture';

/** Entry i of vector k of all terms, from one in [-1, 1). */
type Entry = (value: number, i: number, k: number) => number;

const plain: Entry = (value) => value;

interface ProductSpec {
  readonly rows: number;
  readonly columns: number;
  /** Of each term. */
  readonly ranks: readonly number[];
  readonly dtype?: FloatDtype;
  /** As PEFT has them (left columns, right rows) unless set. */
  readonly swapped?: boolean;
  /** Default: `plain`. */
  readonly left?: Entry;
  readonly right?: Entry;
}

export function fakeProduct(spec: ProductSpec): LowRankProduct {
  const { rows, columns, ranks, dtype = 'F32', swapped = false } = spec;
  const [left, right] = swapped ? (['rows', 'columns'] as const) : (['columns', 'rows'] as const);
  let first = 0;
  const terms = ranks.map((rank, term) => {
    const made = (seed: number, length: number, vectors: Factor['vectors'], entry: Entry = plain) =>
      fakeFactor({ seed, length, rank, vectors, dtype, entry, first });
    const sides = {
      left: made(2 * term + 1, rows, left, spec.left),
      right: made(2 * term + 2, columns, right, spec.right),
    };
    first += rank;
    return { rank, coefficient: 1.5 - term, ...sides };
  });
  return { name: `${rows} x ${columns}`, rows, columns, terms };
}

interface FactorSpec extends Pick<Factor, 'dtype' | 'vectors'> {
  readonly seed: number;
  readonly length: number;
  readonly rank: number;
  readonly entry: Entry;
  /** Vectors of the terms before. */
  readonly first: number;
}

function fakeFactor(spec: FactorSpec): Factor {
  const { seed, length, rank, vectors, dtype, entry, first } = spec;
  const values = new Float32Array(length * rank);
  for (let k = 0; k < rank; k++) {
    for (let i = 0; i < length; i++) {
      const at = vectors === 'rows' ? k * length + i : i * rank + k;
      values[at] = entry(drawn(seed, at), i, first + k);
    }
  }
  return { bytes: encodeFloats(values, dtype), dtype, vectors };
}
