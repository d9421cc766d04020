/** How much LoRA files have in common: cosines between what they add to the weights. */
import { type SharedModule } from '@/plan/loras/match-files';
import { type OverlapFacts } from '@/protocol/results';
import { yieldToEventLoop } from '@/evaluate/runtime/yield-to-event-loop';
import { decodeFloats } from '@/tensor/half';
import { type Factor, type LowRankTerm } from '@/tensor/low-rank';
import { placesOf, type ScaledFiles, termsOf } from './file-products';

/** Multiplications that take some seconds on one thread: beyond, modules are sampled. */
const MOST_OPERATIONS = 4e9;

/** A term's factors as vectors side by side: [rank, length] each. */
interface Vectors {
  readonly rank: number;
  readonly left: Float32Array;
  readonly right: Float32Array;
}

/**
 * <Δ_s, Δ_t> / (‖Δ_s‖ ‖Δ_t‖) over the modules of both, from the factors: <L_s R_sᵀ, L_t R_tᵀ> is the
 * sum of (L_sᵀ L_t) * (R_sᵀ R_t), entry by entry, so that no product is formed.
 */
export async function overlapOf(
  scaled: ScaledFiles,
  modules: readonly SharedModule[],
  signal: AbortSignal,
): Promise<OverlapFacts> {
  const count = scaled.files.length;
  const meeting = modules.filter((one) => placesOf(one).length > 1);
  const sampled = sample(meeting, scaled);
  const inner = square(count);
  const ofFirst = square(count);
  for (const module of sampled) {
    signal.throwIfAborted();
    await yieldToEventLoop();
    const places = placesOf(module);
    const terms = await termsOf(scaled, places, signal);
    const vectors = terms.map((term) => vectorsOf(term, module));
    const norms = vectors.map((one, i) => innerProduct(one, one) * terms[i]!.coefficient ** 2);
    for (let a = 0; a < places.length; a++) {
      for (let b = a + 1; b < places.length; b++) {
        const [s, t] = [places[a]!.file, places[b]!.file];
        const scale = terms[a]!.coefficient * terms[b]!.coefficient;
        inner[s]![t]! += scale * innerProduct(vectors[a]!, vectors[b]!);
        ofFirst[s]![t]! += norms[a]!;
        ofFirst[t]![s]! += norms[b]!;
      }
    }
  }
  const cosines = inner.map((_, s) =>
    inner.map((__, t) => {
      if (s === t) return 1;
      const norm = Math.sqrt(ofFirst[s]![t]! * ofFirst[t]![s]!);
      return norm === 0 ? null : inner[Math.min(s, t)]![Math.max(s, t)]! / norm;
    }),
  );
  return { cosines, modules: sampled.length, ofModules: meeting.length };
}

function square(count: number): number[][] {
  return Array.from({ length: count }, () => new Array<number>(count).fill(0));
}

/** Evenly over the modules, as many as there is time for. */
function sample(modules: readonly SharedModule[], { files }: ScaledFiles): readonly SharedModule[] {
  const operations = modules.reduce((sum, one) => {
    const ranks = placesOf(one).map(({ file, module }) => files[file]!.modules[module]!.rank);
    const total = ranks.reduce((all, rank) => all + rank, 0);
    return sum + (total ** 2 * (one.rows + one.columns)) / 2;
  }, 0);
  const step = Math.max(1, operations / MOST_OPERATIONS);
  const wanted = Math.ceil(modules.length / step);
  return Array.from({ length: wanted }, (_, i) => modules[Math.floor(i * step)]!);
}

function vectorsOf({ rank, left, right }: LowRankTerm, { rows, columns }: SharedModule): Vectors {
  return { rank, left: rowsOf(left, rank, rows), right: rowsOf(right, rank, columns) };
}

/** [rank, length], whichever way it lies. */
function rowsOf({ bytes, dtype, vectors }: Factor, rank: number, length: number): Float32Array {
  const values = decodeFloats(bytes, dtype);
  if (vectors === 'rows') return values;
  const rows = new Float32Array(values.length);
  for (let i = 0; i < length; i++) {
    for (let r = 0; r < rank; r++) rows[r * length + i] = values[i * rank + r]!;
  }
  return rows;
}

function innerProduct(a: Vectors, b: Vectors): number {
  let sum = 0;
  for (let p = 0; p < a.rank; p++) {
    for (let q = 0; q < b.rank; q++)
      sum +=
        dot(a.left, p, b.left, q, a.rank, b.rank) * dot(a.right, p, b.right, q, a.rank, b.rank);
  }
  return sum;
}

/** Row p of one with row q of the other. */
function dot(
  a: Float32Array,
  p: number,
  b: Float32Array,
  q: number,
  ofA: number,
  ofB: number,
): number {
  const length = a.length / ofA;
  const [fromA, fromB] = [p * length, q * (b.length / ofB)];
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[fromA + i]! * b[fromB + i]!;
  return sum;
}
