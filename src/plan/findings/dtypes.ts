import { type GroupPlan } from '@/plan/plan-group';
import { type Finding } from '@/plan/preflight';
import { finding, groupedBy, listed } from './finding';

/** The dtypes of what is merged, and whether they are the same in all files. */
export function dtypeFindings({ layout, dtypeOf, details }: GroupPlan): Finding[] {
  const stored = details.names.map((name, index) => {
    const elements = new Map<string, number>();
    for (const tensor of layout.tensors) {
      const dtype = dtypeOf(index, tensor.name);
      elements.set(dtype, (elements.get(dtype) ?? 0) + tensor.elementCount);
    }
    const dtypes = [...elements].sort((a, b) => b[1] - a[1]).map(([dtype]) => dtype);
    return { name, dtypes: dtypes.join(' and ') };
  });
  const groups = groupedBy(stored, ({ dtypes }) => dtypes);
  if (groups.length === 1) {
    const title = `All checkpoints store what is merged as ${groups[0]![0].dtypes}.`;
    return [finding({ level: 'ok', topic: 'dtypes', title })];
  }
  const told = groups.map((group) => {
    return `${listed(group.map(({ name }) => name))} as ${group[0].dtypes}`;
  });
  return [
    finding({
      level: 'note',
      topic: 'dtypes',
      title: 'The checkpoints do not store their numbers alike.',
      detail: `${told.join('; ')}. Sums are made in float32 and rounded once, to the dtype of the base.`,
    }),
  ];
}
