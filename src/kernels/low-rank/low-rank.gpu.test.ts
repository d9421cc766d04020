import { describe, expect, test } from 'vitest';
import { denseDelta } from '@/reference/low-rank-delta';
import { FLOAT_DTYPES } from '@/tensor/dtype';
import golden from './golden/svd.json';
import { useEngine } from '@/kernels/test-device';
import { seeded } from '@/kernels/test-group';
import { difference, factor, fakeProduct, frobenius, productOf, tolerance } from './test-low-rank';
import { CASES, checkProduct, PRODUCTS } from './low-rank-products.fixture';

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
