import { type AdapterPlan } from '@/tensor/adapter/adapter-plan';
import { type AdaptedModule, type AdapterContents } from '@/worker/protocol';
import { type TaskProducts } from './task-products';

/** What the page must know of a group of adapters to preview any choice of ranks. */
export function adapterContents(
  taskNames: readonly string[],
  plan: AdapterPlan,
  { lowRank, indexOf }: TaskProducts,
): AdapterContents {
  const modules = plan.adaptedWeights.map((name): AdaptedModule => {
    const product = lowRank.products.find((one) => one.name === name);
    if (product === undefined) throw new RangeError(`No adapter changes "${name}".`);
    return { name, rows: product.rows, columns: product.columns };
  });
  const tasks = taskNames.map((task, index) => ({
    task,
    ranks: modules.map(({ name }) => {
      const product = indexOf[index]!.get(name);
      return product === undefined ? 0 : lowRank.ranks[product]!;
    }),
    otherBytes: sum([...plan.adapters[index]!.replaced.values()].map((one) => one.byteLength)),
  }));
  const maxRank = tasks.reduce((most, { ranks }) => Math.max(most, ...ranks), 0);
  return { kind: 'adapters', modules, tasks, maxRank };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
