/** For the tests of low-rank products: engines, products of every kind, and their oracle. */
import { expect } from 'vitest';
import { DeviceHandle, openDevice } from '@/gpu/device';
import { denseDelta } from '@/reference/low-rank-delta';
import { inlineThreads } from '@/processor/crew/threads';
import { createProcessorEngine } from '@/processor/engine';
import { svd, transpose } from '@/reference/svd';
import { type LowRankGroup, type LowRankProduct } from '@/tensor/low-rank';
import { createGpuEngine } from '@/kernels/engine';
import {
  type EngineCase,
  engineCases,
  processorCases,
  referenceCases,
} from '@/kernels/engine-cases.fixture';
import {
  difference,
  fakeProduct,
  frobenius,
  leadingEntries,
  orthogonalityOf,
  productOf,
  tolerance,
} from './test-low-rank';

const columnsOf = ({ terms }: LowRankProduct): number =>
  terms.reduce((sum, { rank }) => sum + rank, 0);

/** Workgroups as on a real GPU, with the default 16 KiB of workgroup memory, and folded grids. */
const AS_ON_GPU: EngineCase = {
  name: 'webgpu, default limits, workgroups of a GPU',
  open: async () => {
    const options = { forceDefaultLimits: true, foldGridAt: 3 };
    const { device, adapter } = await openDevice(options);
    const handle = new DeviceHandle(device, { ...adapter, fallback: false }, options);
    return { engine: createGpuEngine(handle), handle };
  },
};
const ON_GPU = engineCases().find(({ name }) => name === 'webgpu')!;
export const GPU_CASES = [ON_GPU, AS_ON_GPU];
/** Beside three of them: numbers must not depend on how many there are. */
const ONE_THREAD: EngineCase = {
  name: 'processor, 1 thread',
  open: () => Promise.resolve({ engine: createProcessorEngine(inlineThreads(1)), handle: null }),
};
const IN_NODE = [...referenceCases(), ...processorCases()];
export const CASES = [...IN_NODE, ...(IN_NODE.length > 0 ? [ONE_THREAD] : []), ...GPU_CASES];

/** Odd shapes, all dtypes and layouts, mixed ranks and terms, and spectra that break naive SVDs. */
export const PRODUCTS: Readonly<Record<string, LowRankProduct>> = {
  '1 x 1': fakeProduct(1, 1, 1, [{ rank: 1 }]),
  '1 x n': fakeProduct(2, 1, 19, [{ rank: 3, coefficient: -2 }]),
  'n x 1': fakeProduct(3, 23, 1, [{ rank: 4 }]),
  'rank 1': fakeProduct(4, 37, 53, [{ rank: 1, dtype: 'BF16' }]),
  'a rank that is no multiple of four': fakeProduct(5, 37, 53, [{ rank: 13, dtype: 'F16' }]),
  'factors the other way round': fakeProduct(6, 53, 37, [{ rank: 6, swapped: true, dtype: 'F16' }]),
  'rank above rows': fakeProduct(7, 9, 70, [{ rank: 20 }]),
  'rank above columns': fakeProduct(8, 70, 9, [{ rank: 20 }]),
  'rank above both': fakeProduct(9, 21, 18, [{ rank: 40 }]),
  'one more column than a panel': fakeProduct(10, 61, 60, [{ rank: 17 }]),
  'core at the edge of workgroup memory': fakeProduct(11, 80, 70, [{ rank: 32 }]),
  'core in storage': fakeProduct(12, 80, 70, [{ rank: 33 }]),
  'several terms': fakeProduct(13, 64, 48, [
    { rank: 4, coefficient: 0.3 },
    { rank: 16, coefficient: -1.7, dtype: 'F16' },
    { rank: 3, coefficient: 1e-3, dtype: 'BF16', swapped: true },
  ]),
  'coefficient 0': fakeProduct(14, 30, 20, [{ rank: 2 }, { rank: 2, coefficient: 0 }]),
  'decay to 1e-6': fakeProduct(15, 90, 75, [
    { rank: 16, left: (k, _, random) => (random() - 0.5) * 10 ** (-0.4 * k) },
  ]),
  'clustered and repeated': fakeProduct(16, 24, 24, [
    {
      rank: 12,
      left: (k, i) => (i === k ? 1 : 0),
      right: (k, i) => (i === k + 3 ? (k < 6 ? 2 : 1 + k * 1e-6) : 0),
    },
  ]),
  'untrained B': fakeProduct(17, 40, 30, [{ rank: 8, left: () => 0 }]),
  'zero columns': fakeProduct(18, 40, 30, [
    { rank: 8, left: (k, _, random) => (k % 3 === 0 ? 0 : random() - 0.5) },
  ]),
  'duplicate columns': fakeProduct(19, 40, 30, [
    { rank: 9, left: (k, i) => Math.sin(1 + (k % 3) * 50 + i), right: (k, i) => Math.cos(k + i) },
  ]),
  tiny: fakeProduct(20, 40, 30, [{ rank: 5, left: (_k, _i, random) => 1e-25 * random() }]),
  huge: fakeProduct(21, 40, 30, [{ rank: 5, left: (_k, _i, random) => 1e25 * random() }]),
  'F16 subnormals': fakeProduct(22, 40, 30, [
    { rank: 5, dtype: 'F16', left: (_k, _i, random) => (random() - 0.5) * 1e-5 },
  ]),
  'scales that only their product evens out': fakeProduct(23, 40, 30, [
    {
      rank: 6,
      left: (k, _, random) => (random() - 0.5) * 10 ** (8 * (k - 3)),
      right: (k, _, random) => (random() - 0.5) * 10 ** (-8 * (k - 3)),
    },
  ]),
};

/** Everything a factorisation of product i must satisfy, against float64 on the dense product. */
export async function checkProduct(
  group: LowRankGroup,
  index: number,
  label: string,
): Promise<void> {
  const product = group.products[index]!;
  const { rows, columns } = product;
  const rank = group.ranks[index]!;
  const allowed = tolerance(columnsOf(product));
  expect(rank, label).toBe(Math.min(rows, columns, columnsOf(product)));
  const delta = denseDelta(product);
  const norm = frobenius(delta);
  const oracle = svd(transpose({ rows: columns, columns: rows, data: delta }));
  const sigma = group.singularValues(index);
  expect(sigma.length, label).toBe(rank);
  const full = await group.balancedFactors(index, rank);
  // Order, and closeness to the true values relative to the largest (Weyl).
  sigma.forEach((value, k) => {
    expect(value, `${label}: σ ${k}`).toBeLessThanOrEqual(k === 0 ? Infinity : sigma[k - 1]!);
    expect(Math.abs(value - oracle.sigma[k]!), `${label}: σ ${k}`).toBeLessThanOrEqual(
      allowed * norm,
    );
  });
  // Reconstruction.
  const error = frobenius(difference(productOf(full, rows, columns), delta));
  expect(error, `${label}: reconstruction`).toBeLessThanOrEqual(allowed * norm);
  // Orthogonality, and the rule for signs.
  expect(orthogonalityOf(full, sigma), `${label}: orthogonality`).toBeLessThanOrEqual(allowed);
  leadingEntries(full).forEach((entry, k) => {
    if (sigma[k]! > 0) expect(entry, `${label}: sign ${k}`).toBeGreaterThan(0);
  });
  // The best approximation of each rank (Eckart and Young), as a prefix of the full factors.
  for (const q of new Set([0, 1, Math.floor(rank / 2), rank - 1])) {
    const part = await group.balancedFactors(index, q);
    expect(part.a, label).toEqual(full.a.slice(0, q * columns));
    const lost = frobenius(difference(productOf(part, rows, columns), delta));
    const least = frobenius(oracle.sigma.subarray(q));
    expect(lost, `${label}: rank ${q}`).toBeLessThanOrEqual(least + allowed * norm);
  }
}
