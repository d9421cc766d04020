/**
 * Times the SVD of every adapted matrix of a model, against a copy of the factors on the same
 * adapter. What the same machine takes for the dense route: peers/svd_dense.py.
 */
import { type DeviceHandle } from '@/gpu/device';
import { type Engine } from '@/tensor/engine';
import { type Factor, type LowRankProduct } from '@/tensor/low-rank';
import { prepareCopy } from './copy';

/** q and v of all 36 attention blocks of Flan-T5-base (12 + 2 x 12), eight adapters. */
const MATRICES = 8 * 2 * 36;
const QUICK_MATRICES = 72;
const LENGTH = 768;
const RANK = 16;
const F32_BYTES = 4;
const RUNS = 3;

export interface SvdBench {
  readonly handle: DeviceHandle;
  readonly engine: Engine;
  readonly quick: boolean;
  readonly print: (line: string) => void;
}

/** Prints seconds from factors in memory to singular vectors on the adapter, and the report. */
export async function benchSvd({ handle, engine, quick, print }: SvdBench): Promise<void> {
  const count = quick ? QUICK_MATRICES : MATRICES;
  const products = madeUpProducts(count);
  const bytes = 2 * count * LENGTH * RANK * F32_BYTES;
  const copy = await prepareCopy(handle, 2 * bytes);
  const times = { upload: [], factorize: [], copy: [] } as Record<string, number[]>;
  let report = null;
  for (let run = -1; run < RUNS; run++) {
    const start = performance.now();
    const group = engine.createLowRankGroup(products);
    await handle.device.queue.onSubmittedWorkDone();
    const uploaded = performance.now();
    report = await group.factorize();
    const factorized = performance.now();
    group.dispose();
    await copy.work();
    await handle.device.queue.onSubmittedWorkDone();
    if (run < 0) continue; // compiles
    times.upload!.push(uploaded - start);
    times.factorize!.push(factorized - uploaded);
    times.copy!.push(performance.now() - factorized);
  }
  copy.release();
  const [upload, factorize, copied] = [times.upload!, times.factorize!, times.copy!].map(median);
  print(`SVD of ${count} matrices, ${LENGTH} x ${LENGTH}, rank ${RANK}, F32; median of ${RUNS}`);
  print(
    `  ${(factorize! / 1e3).toFixed(3)} s with its report, ${(upload! / 1e3).toFixed(3)} s to upload, ` +
      `${(copied! / 1e3).toFixed(3)} s to copy the factors (${(bytes / 1e6).toFixed(1)} MB)`,
  );
  if (!report) return;
  const { dispatches, sweeps, residual, orthogonality } = report;
  print(
    `  ${dispatches} dispatches, at most ${sweeps} sweeps, residual ${residual.toExponential(1)}, ` +
      `orthogonality ${orthogonality.toExponential(1)}`,
  );
}

/** Factors of uniform noise; a few different ones, since what is in them hardly matters. */
function madeUpProducts(count: number): LowRankProduct[] {
  const different = Array.from({ length: 4 }, (_, seed) => ({
    left: noise(2 * seed + 1, 'columns'),
    right: noise(2 * seed + 2, 'rows'),
  }));
  return Array.from({ length: count }, (_, i) => ({
    name: `matrix ${i}`,
    rows: LENGTH,
    columns: LENGTH,
    terms: [{ rank: RANK, coefficient: 2, ...different[i % different.length]! }],
  }));
}

function noise(seed: number, vectors: Factor['vectors']): Factor {
  let state = seed;
  const values = Float32Array.from({ length: LENGTH * RANK }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
  return { bytes: new Uint8Array(values.buffer), dtype: 'F32', vectors };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
