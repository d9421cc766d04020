import { type AdapterPlan } from '@/formats/lora/adapter-plan';
import { readProducts } from '@/formats/lora/read-products';
import { type Engine } from '@/tensor/engine';
import { type LowRankGroup, type LowRankProduct } from '@/tensor/low-rank';
import { refuseNonFinite, type UploadOptions } from '@/jobs/group/load-weights';

/** The products of all tasks on the engine, side by side: one factorisation serves them all. */
export interface TaskProducts {
  readonly lowRank: LowRankGroup;
  /** What each task's adapter adds to its weights. */
  readonly products: readonly (readonly LowRankProduct[])[];
  /** Per task, the place of each weight's product in `lowRank`. */
  readonly indexOf: readonly ReadonlyMap<string, number>[];
}

/**
 * Reads every adapter's factors and copies them to the engine.
 *
 * @throws PeruError `source`, `mismatch` for an adapter that changes nothing, `non-finite` naming
 *   the weights whose factors hold NaN or Inf
 */
export async function loadProducts(
  engine: Engine,
  plan: AdapterPlan,
  options: UploadOptions,
): Promise<TaskProducts> {
  const { emit, signal, allowNonFinite } = options;
  const total = plan.adapters
    .flatMap(({ modules }) => modules)
    .reduce((sum, { left, right }) => sum + left.tensor.byteLength + right.tensor.byteLength, 0);
  let done = 0;
  const onBytes = (byteLength: number): void => {
    done += byteLength;
    const progress = { stage: 'Loading adapters', done, total, unit: 'bytes' as const };
    emit({ type: 'progress', progress });
  };
  const products: LowRankProduct[][] = [];
  for (const adapter of plan.adapters) {
    products.push(await readProducts(adapter, { signal, onBytes }));
  }
  let next = 0;
  const indexOf = products.map((own) => new Map(own.map(({ name }) => [name, next++] as const)));
  const lowRank = engine.createLowRankGroup(products.flat());
  const loaded = { lowRank, products, indexOf };
  if (!allowNonFinite) await refuseNonFiniteFactors(loaded, plan);
  return loaded;
}

async function refuseNonFiniteFactors(
  { lowRank, products, indexOf }: TaskProducts,
  plan: AdapterPlan,
): Promise<void> {
  const counts = await lowRank.countNonFinite();
  for (const [task, own] of products.entries()) {
    const tensors = own.map(({ name }) => {
      return { name, count: counts[indexOf[task]!.get(name)!] ?? 0 };
    });
    refuseNonFinite(plan.adapters[task]!.name, tensors);
  }
}
