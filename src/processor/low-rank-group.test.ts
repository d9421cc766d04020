import { describe, expect, test } from 'vitest';
import { MemoryCount } from '@/core/memory-count';
import { type LowRankAddition, type LowRankProduct } from '@/tensor/low-rank';
import { Crew } from './crew/crew';
import { inlineThreads, type Threads } from './crew/threads';
import { ProcessorLowRankGroup } from './low-rank-group';
import { type FactorizedProduct } from './low-rank/factorize-product';
import { fakeProduct } from './low-rank/products.fixture';
import { createComputeThread } from './thread/compute-thread';

/** Several runs, some of one product. */
const PRODUCTS = Array.from({ length: 9 }, (_, i) =>
  fakeProduct({ rows: 120 + 7 * i, columns: 64 + i, ranks: [30, 2 + i], swapped: i % 2 === 0 }),
);

interface Opened {
  readonly group: ProcessorLowRankGroup;
  readonly memory: MemoryCount;
}

function open(threads: Threads, products: readonly LowRankProduct[] = PRODUCTS): Opened {
  const memory = new MemoryCount();
  const group = new ProcessorLowRankGroup(products, new Crew(threads), memory, () => undefined);
  return { group, memory };
}

/** Runs with threads that are closed after it. */
async function withThreads<T>(count: number, work: (threads: Threads) => Promise<T>): Promise<T> {
  const threads = inlineThreads(count);
  try {
    return await work(threads);
  } finally {
    threads.dispose();
  }
}

/** Threads of which only calls about low-rank products answer, as given. */
function threadsOf(...calls: Partial<ReturnType<typeof createComputeThread>>[]): Threads {
  const all = calls as unknown as Threads['all'];
  return { all, lost: new Promise(() => undefined), dispose: () => undefined };
}

const factorizeProducts = (products: readonly LowRankProduct[]): FactorizedProduct[] =>
  createComputeThread().factorizeProducts(products);

describe('ProcessorLowRankGroup', () => {
  test('the same bits from any number of threads', async () => {
    const found = [];
    for (const count of [1, 3]) {
      found.push(
        await withThreads(count, async (threads) => {
          const { group } = open(threads);
          const report = await group.factorize();
          const factors = await Promise.all(
            PRODUCTS.map((_, i) => group.balancedFactors(i, group.ranks[i]! - 1)),
          );
          return { report, factors, sigma: PRODUCTS.map((_, i) => group.singularValues(i)) };
        }),
      );
    }
    expect(found[0]!.report.residual).toBeGreaterThan(0);
    expect(found[1]).toEqual(found[0]);
  });

  test('every product is computed once, and threads take turns', async () => {
    const names: string[][] = [[], []];
    const slow = names.map((taken) => ({
      factorizeProducts: async (products: readonly LowRankProduct[]) => {
        taken.push(...products.map(({ name }) => name));
        await Promise.resolve();
        return factorizeProducts(products);
      },
    }));
    const { group } = open(threadsOf(...(slow as never[])));
    await group.factorize();
    await group.factorize();
    expect(names.flat().sort()).toEqual(PRODUCTS.map(({ name }) => name).sort());
    expect(names.map(({ length }) => length > 0)).toEqual([true, true]);
  });

  test('weights in parts, from bases that stay as they are, whatever they are views of', async () => {
    // Two parts, and one: the second base lies inside a larger buffer.
    const products = [
      fakeProduct({ rows: 300, columns: 256, ranks: [512], dtype: 'BF16' }),
      fakeProduct({ rows: 3, columns: 5, ranks: [2], swapped: true }),
    ];
    const held = Float32Array.from({ length: 300 * 256 + 21 }, (_, i) => Math.sin(i));
    const before = held.slice();
    const bases = [held.subarray(0, 300 * 256), held.subarray(300 * 256 + 3, 300 * 256 + 18)];
    await withThreads(2, async (threads) => {
      const { group } = open(threads, products);
      const additions = bases.map((base, product): LowRankAddition => ({
        product,
        form: { kind: 'terms' },
        base,
      }));
      const { data } = await group.add(additions, 'cpu');
      for (const [i, product] of products.entries()) {
        const wanted = createComputeThread().addProduct(product, bases[i]!.slice());
        expect(data[i]).toEqual(wanted);
      }
      expect(held).toEqual(before);
      // Factors are there still, too: what is sent are copies.
      const again = await group.add(additions, 'cpu');
      expect(again.data).toEqual(data);
    });
  });

  test('ranks above what a product has are zeros', async () => {
    const product = fakeProduct({
      ...{ rows: 12, columns: 10, ranks: [4] },
      left: (value, _, k) => (k < 2 ? value : 0),
    });
    await withThreads(1, async (threads) => {
      const { group } = open(threads, [product]);
      await group.factorize();
      expect([...group.singularValues(0)].map((sigma) => sigma > 0)).toEqual([
        ...[true, true, false, false],
      ]);
      const { a, b } = await group.balancedFactors(0, 3);
      expect([a.length, b.length]).toEqual([30, 36]);
      expect([...a.subarray(20)].every((value) => value === 0)).toBe(true);
      expect([...b].filter((_, at) => at % 3 === 2).every((value) => value === 0)).toBe(true);
      expect([...b].filter((_, at) => at % 3 < 2).every((value) => value !== 0)).toBe(true);
      const base = new Float32Array(120);
      const form = { kind: 'truncated', rank: 4 } as const;
      const whole = await group.add([{ product: 0, form, base }], 'cpu');
      const two = await group.add([{ product: 0, form: { ...form, rank: 2 }, base }], 'cpu');
      expect(whole.data).toEqual(two.data);
    });
  });

  test('bytes of factors and results count until it is disposed of', async () => {
    await withThreads(2, async (threads) => {
      const { group, memory } = open(threads, [
        fakeProduct({ rows: 10, columns: 20, ranks: [3], dtype: 'F16' }),
      ]);
      expect(memory.liveBytes).toBe(2 * 30 * 3);
      await group.factorize();
      expect(memory.liveBytes).toBe(2 * 30 * 3 + 4 * (30 * 3 + 3));
      group.dispose();
      group.dispose();
      expect(memory.liveBytes).toBe(0);
      await expect(group.countNonFinite()).rejects.toThrow('disposed of');
    });
  });

  test.each([
    ['the first of several runs', PRODUCTS],
    ['the last run', PRODUCTS.slice(0, 1)],
  ])('disposed of in %s: begins nothing more, and holds nothing', async (_, products) => {
    let begun = 0;
    const thread = {
      factorizeProducts: (sent: readonly LowRankProduct[]) => {
        begun++;
        opened.group.dispose();
        return Promise.resolve(factorizeProducts(sent));
      },
    };
    const opened = open(threadsOf(thread as never), products);
    await expect(opened.group.factorize()).rejects.toThrow('disposed of');
    expect([begun, opened.memory.liveBytes]).toEqual([1, 0]);
    expect(() => opened.group.singularValues(0)).toThrow('before it was factorised');
  });

  test('a product that did not converge is named; a later call tries again', async () => {
    let stuck = true;
    const thread = {
      factorizeProducts: (products: readonly LowRankProduct[]) =>
        Promise.resolve(
          factorizeProducts(products).map((found, i): FactorizedProduct => ({
            ...found,
            converged: !(stuck && products[i]!.name === PRODUCTS[4]!.name),
          })),
        ),
    };
    const { group } = open(threadsOf(thread as never));
    await expect(group.factorize()).rejects.toMatchObject({
      kind: 'internal',
      message: expect.stringContaining(`"${PRODUCTS[4]!.name}" did not converge`) as string,
    });
    expect(() => group.singularValues(0)).toThrow('before it was factorised');
    stuck = false;
    expect((await group.factorize()).sweeps).toBeGreaterThan(1);
  });

  test('after a thread has failed no other begins a job', async () => {
    let begun = 0;
    const fails = { factorizeProducts: () => Promise.reject(new Error('broke')) };
    const works = {
      factorizeProducts: async (products: readonly LowRankProduct[]) => {
        begun++;
        await new Promise((resolve) => setTimeout(resolve, 0));
        return factorizeProducts(products);
      },
    };
    const many = Array.from({ length: 5 }, () => PRODUCTS).flat();
    const { group } = open(threadsOf(fails as never, works as never), many);
    await expect(group.factorize()).rejects.toMatchObject({ kind: 'internal', message: 'broke' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(begun).toBe(1);
  });

  test('factors whose bytes are not those of their shape are refused by name', () => {
    const product = fakeProduct({ rows: 10, columns: 20, ranks: [3] });
    const short = { ...product, rows: 11 };
    expect(() => open(threadsOf(), [short])).toThrow(
      '"10 x 20" has 120 bytes; 11 x 3 F32 take 132',
    );
  });
});
