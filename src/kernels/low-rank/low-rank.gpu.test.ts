import { describe, expect, test } from 'vitest';
import { DeviceHandle, openDevice } from '@/gpu/device';
import { createReferenceEngine } from '@/reference/engine';
import { denseDelta } from '@/reference/low-rank-delta';
import { svd, transpose } from '@/reference/svd';
import { FLOAT_DTYPES } from '@/tensor/dtype';
import { type LowRankGroup, type LowRankProduct } from '@/tensor/low-rank';
import { createGpuEngine } from '@/kernels/engine';
import golden from './golden/svd.json';
import { useEngine } from '@/kernels/test-device';
import { type EngineCase, engineCases, referenceCases, seeded } from '@/kernels/test-group';
import {
  difference,
  factor,
  fakeProduct,
  frobenius,
  leadingEntries,
  orthogonalityOf,
  productOf,
  tolerance,
} from './test-low-rank';
import { readGpuWeights } from '@/kernels/test-readback';

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
const ON_GPU = engineCases(createReferenceEngine).find(({ name }) => name === 'webgpu')!;
const GPU_CASES = [ON_GPU, AS_ON_GPU];
const CASES = [...referenceCases(createReferenceEngine), ...GPU_CASES];

/** Odd shapes, all dtypes and layouts, mixed ranks and terms, and spectra that break naive SVDs. */
const PRODUCTS: Readonly<Record<string, LowRankProduct>> = {
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

/** The factors of scripts/golden_svd.py. */
function goldenProduct({ seed, rows, columns, rank, halvings }: (typeof golden)[number]) {
  const random = seeded(seed);
  const draw = (): number => Math.floor(random() * 65_536) / 32_768 - 1;
  const name = `${rows} x ${columns}, rank ${rank}`;
  const scaled = (k: number): number => draw() * 2 ** -Math.floor(k * halvings);
  const left = factor('F32', rows, rank, 'columns', scaled);
  const right = factor('F32', columns, rank, 'rows', draw);
  return { name, rows, columns, terms: [{ rank, coefficient: 1, left, right }] };
}

/** Everything a factorisation of product i must satisfy, against float64 on the dense product. */
async function checkProduct(group: LowRankGroup, index: number, label: string): Promise<void> {
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

describe.each(CASES)('low-rank products on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test('every shape, dtype and spectrum, in one batch', async () => {
    const group = engine().createLowRankGroup(Object.values(PRODUCTS));
    expect([...(await group.countNonFinite())]).toEqual(Object.keys(PRODUCTS).map(() => 0));
    const report = await group.factorize();
    expect(report.residual).toBeLessThan(tolerance(40));
    expect(report.orthogonality).toBeLessThan(tolerance(40));
    expect(report.sweeps).toBeLessThan(20);
    for (const [index, label] of Object.keys(PRODUCTS).entries()) {
      await checkProduct(group, index, label);
    }
    group.dispose();
  });

  test('singular values as numpy finds them in float64', async () => {
    const group = engine().createLowRankGroup(golden.map(goldenProduct));
    await group.factorize();
    golden.forEach(({ sigma, rank }, index) => {
      const found = group.singularValues(index);
      expect(found.length).toBe(sigma.length);
      const worst = Math.max(...sigma.map((value, k) => Math.abs(value - found[k]!)));
      expect(worst / sigma[0]!, group.products[index]!.name).toBeLessThan(tolerance(rank));
    });
    group.dispose();
  });

  test('zero products give zeros', async () => {
    const zero = PRODUCTS['untrained B']!;
    const group = engine().createLowRankGroup([zero]);
    expect((await group.factorize()).residual).toBe(0);
    expect([...group.singularValues(0)]).toEqual(Array.from({ length: 8 }, () => 0));
    const { a, b } = await group.balancedFactors(0, 8);
    expect([frobenius(a), frobenius(b)]).toEqual([0, 0]);
    group.dispose();
  });

  test('NaN and Inf are counted by product, and do not hang the factorisation', async () => {
    const products = FLOAT_DTYPES.map((dtype) =>
      fakeProduct(31, 21, 13, [
        { rank: 2 },
        { rank: 3, dtype, left: (k, i) => (k === 1 && i < 2 ? NaN : 1) },
        { rank: 1, dtype, right: (_, i) => (i === 12 ? -Infinity : 65_280) },
      ]),
    );
    const group = engine().createLowRankGroup([...products, fakeProduct(32, 5, 5, [{ rank: 2 }])]);
    expect([...(await group.countNonFinite())]).toEqual([3, 3, 3, 0]);
    await Promise.allSettled([group.factorize()]);
    group.dispose();
  });

  test('base + Δ in memory, from the terms and from every prefix', async () => {
    const names = ['several terms', 'n x 1', 'rank above both', 'core in storage'];
    const products = names.map((name) => PRODUCTS[name]!);
    const group = engine().createLowRankGroup(products);
    await group.factorize();
    const random = seeded(40);
    const bases = products.map(({ rows, columns }) =>
      Float32Array.from({ length: rows * columns }, () => random() - 0.5),
    );
    const before = bases.map((base) => base.slice());
    const forms = [
      { kind: 'terms' },
      { kind: 'truncated', rank: 0 },
      { kind: 'truncated', rank: 1 },
    ] as const;
    const additions = products.flatMap((_, product) =>
      forms.map((form) => ({ product, form, base: bases[product]! })),
    );
    const added = await group.add(additions, 'cpu');
    for (const [i, { product, form, base }] of additions.entries()) {
      const { rows, columns } = products[product]!;
      const delta =
        form.kind === 'terms'
          ? denseDelta(products[product]!)
          : productOf(await group.balancedFactors(product, form.rank), rows, columns);
      const wanted = base.map((value, at) => value + delta[at]!);
      const scale = Math.max(1, ...delta.map(Math.abs));
      const worst = Math.max(...difference(added.data[i] as Float32Array, wanted).map(Math.abs));
      // As many roundings as terms of the sum, each at most of its largest partial sum.
      expect(worst, `${names[product]}, ${form.kind}`).toBeLessThan(tolerance(40) * scale);
    }
    expect(bases).toEqual(before);
    added.dispose();
    group.dispose();
  });

  test('what cannot be asked', async () => {
    const product = fakeProduct(50, 8, 6, [{ rank: 3 }]);
    const group = engine().createLowRankGroup([product]);
    expect(() => group.singularValues(0)).toThrow(/before it was factorised/);
    await group.factorize();
    await expect(group.balancedFactors(0, 4)).rejects.toThrow(/Rank 4/);
    const base = new Float32Array(7);
    await expect(group.add([{ product: 0, form: { kind: 'terms' }, base }], 'cpu')).rejects.toThrow(
      /8 x 6|expected/,
    );
    group.dispose();
  });
});

describe.each(GPU_CASES)('on the GPU: $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test('as many dispatches for 60 products as for 3', async () => {
    const counts = [];
    for (const count of [3, 60]) {
      const products = Array.from({ length: count }, (_, i) =>
        fakeProduct(i, 20 + (i % 5), 25, [{ rank: [4, 18, 36][i % 3]! }]),
      );
      const group = engine().createLowRankGroup(products);
      counts.push((await group.factorize()).dispatches);
      group.dispose();
    }
    expect(counts[0]).toBe(counts[1]);
  });

  test('one panel and cores in workgroup memory take nine dispatches', async () => {
    const products = Array.from({ length: 12 }, (_, i) => fakeProduct(i, 30, 25, [{ rank: 16 }]));
    const group = engine().createLowRankGroup(products);
    expect((await group.factorize()).dispatches).toBe(9);
    group.dispose();
  });

  test('weights on the GPU equal those in memory', async () => {
    const products = [PRODUCTS['several terms']!, PRODUCTS['1 x n']!];
    const group = engine().createLowRankGroup(products);
    await group.factorize();
    const additions = products.flatMap(({ rows, columns }, product) => {
      const base = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i));
      const form = { kind: 'truncated', rank: 1 } as const;
      return [
        { product, form: { kind: 'terms' } as const, base },
        { product, form, base },
      ];
    });
    const inMemory = await group.add(additions, 'cpu');
    const onGpu = await group.add(additions, 'gpu');
    // Bases that lie on the GPU already.
    const again = await group.add(
      additions.map((addition, i) => ({ ...addition, base: onGpu.data[i]! })),
      'gpu',
    );
    for (const [i, { base }] of additions.entries()) {
      const wanted = inMemory.data[i] as Float32Array;
      const got = await readGpuWeights(engine(), onGpu.data[i] as GPUBuffer, base.length);
      expect(got).toEqual(wanted);
      const twice = await readGpuWeights(engine(), again.data[i] as GPUBuffer, base.length);
      const wantedTwice = wanted.map((value, at) => 2 * value - base[at]!);
      expect(frobenius(difference(twice, wantedTwice))).toBeLessThan(
        tolerance(23) * frobenius(wanted),
      );
    }
    inMemory.dispose();
    onGpu.dispose();
    again.dispose();
    group.dispose();
  });
});

describe('with small bindings', () => {
  const LEAST_BINDING = 20_000;
  const engine = useEngine({
    name: 'small bindings',
    open: async () => {
      const handle = await openDevice();
      const limits = new Proxy(handle.device.limits, {
        get: (target, key) =>
          key === 'maxStorageBufferBindingSize'
            ? LEAST_BINDING
            : (Reflect.get(target, key, target) as unknown),
      });
      Object.defineProperty(handle.device, 'limits', { value: limits });
      return { engine: createGpuEngine(handle), handle };
    },
  });

  test('products go in several batches, weights in slices of rows', async () => {
    const shapes = [40, 200, 60, 130, 21];
    const products = shapes.map((rows, i) => fakeProduct(60 + i, rows, 30, [{ rank: 4 + i }]));
    const group = engine().createLowRankGroup(products);
    expect((await group.factorize()).dispatches).toBeGreaterThan(9);
    for (const [index, { name }] of products.entries()) await checkProduct(group, index, name);
    const form = { kind: 'terms' } as const;
    const additions = products.map(({ rows, columns }, product) => {
      return { product, form, base: new Float32Array(rows * columns) };
    });
    const added = await group.add(additions, 'cpu');
    for (const [i, product] of products.entries()) {
      const delta = denseDelta(product);
      const error = frobenius(difference(added.data[i] as Float32Array, delta));
      expect(error).toBeLessThan(tolerance(8) * frobenius(delta));
    }
    group.dispose();
  });

  test('a product too large for any is refused by name', () => {
    const large = fakeProduct(70, 500, 400, [{ rank: 9 }]);
    expect(() => engine().createLowRankGroup([large])).toThrow(/"500 x 400, seed 70".*20000/);
  });
});
