import { type GroupPlan } from '@/plan/plan-group';
import { type Finding } from '@/plan/preflight';
import { counted, finding, listed } from './finding';

/** Tensors without an element that the base lacks: nothing of them can be kept. */
export function emptyFindings({ details }: GroupPlan): Finding[] {
  const tasks = details.names.slice(1).filter((_, task) => details.empty[task]!.length > 0);
  if (tasks.length === 0) return [];
  const names = [...new Set(details.empty.flat())];
  return [
    finding({
      level: 'warning',
      topic: 'tensors',
      title: `${listed(tasks)} ${tasks.length === 1 ? 'has' : 'have'} ${counted(names.length, 'tensor')} without a number.`,
      detail: 'They are left out. If they should hold some, the file was not saved whole.',
      names,
    }),
  ];
}
