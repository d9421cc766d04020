/**
 * Times the SVD of every adapted matrix of a model, against a copy of the factors on the same
 * adapter. What the same machine takes for the dense route: peers/svd_dense.py.
 */
import { type DeviceHandle } from '@/gpu/device';
import { type Engine } from '@/tensor/engine';
import { prepareCopy } from './copy';
import { type BenchOutput } from './record';
import { LENGTH, madeUpProducts, MATRICES, RANK } from './made-up-products';
import { median } from './pairs';

const QUICK_MATRICES = 72;
const F32_BYTES = 4;
const RUNS = 3;

export interface SvdBench extends BenchOutput {
  readonly handle: DeviceHandle;
  readonly engine: Engine;
  readonly quick: boolean;
}

/** Prints seconds from factors in memory to singular vectors on the adapter, and the report. */
export async function benchSvd({ handle, engine, quick, print, record }: SvdBench): Promise<void> {
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
  record('svd', {
    ...{ matrices: count, rows: LENGTH, rank: RANK },
    ...{ seconds: factorize! / 1e3, uploadSeconds: upload! / 1e3, copySeconds: copied! / 1e3 },
    ...{ residual: report.residual, orthogonality: report.orthogonality },
  });
  const { dispatches, sweeps, residual, orthogonality } = report;
  print(
    `  ${dispatches} dispatches, at most ${sweeps} sweeps, residual ${residual.toExponential(1)}, ` +
      `orthogonality ${orthogonality.toExponential(1)}`,
  );
}
