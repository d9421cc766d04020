/** Merging adapters of one base: per weight the weighted sum of their products, kept as factors. */
import { flatLayout } from '@/tensor/layout';
import { type LowRankProduct, type LowRankTerm } from '@/tensor/low-rank';
import { type LinearMerge } from '@/tensor/merge-plan';

/**
 * The update of a linear merge of adapters, sum_t c_t Δ_t, one product a weight: the terms of
 * all tasks side by side, so nothing is multiplied out and no cross terms B_s A_t arise (which
 * averaging the factors themselves would add). A weight that only some tasks adapt has only their
 * terms. Products come in bytewise order of their weights' names, terms in order of the tasks.
 *
 * @param products each task's products, as `readProducts` gives them
 * @throws RangeError when the counts differ, or one weight has two shapes
 */
export function mergedProducts(
  products: readonly (readonly LowRankProduct[])[],
  { coefficients }: LinearMerge,
): LowRankProduct[] {
  if (products.length !== coefficients.length) {
    throw new RangeError(`${products.length} adapters have ${coefficients.length} coefficients.`);
  }
  const merged = new Map<string, LowRankProduct & { readonly terms: LowRankTerm[] }>();
  for (const [task, own] of products.entries()) {
    for (const { name, rows, columns, terms } of own) {
      const whole = merged.get(name) ?? { name, rows, columns, terms: [] };
      if (whole.rows !== rows || whole.columns !== columns) {
        throw new RangeError(`The adapters give "${name}" two shapes.`);
      }
      for (const term of terms) {
        whole.terms.push({ ...term, coefficient: coefficients[task]! * term.coefficient });
      }
      merged.set(name, whole);
    }
  }
  return sortedNames(merged.keys()).map((name) => merged.get(name)!);
}

/** Names in the canonical order of tensors: sorted bytewise, as `flatLayout` sorts them. */
export function sortedNames(names: Iterable<string>): string[] {
  const tensors = Array.from(names, (name) => ({ name, shape: [] }));
  return flatLayout(tensors).tensors.map(({ name }) => name);
}
