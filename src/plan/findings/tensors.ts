import { type GroupPlan } from '@/plan/plan-group';
import { type Finding } from '@/plan/preflight';
import { counted, finding } from './finding';

/** What is merged, and what of the base no fine-tune changes. */
export function tensorFindings({ layout, untouched, own, tied, details }: GroupPlan): Finding[] {
  const count = layout.tensors.length;
  const tasks = counted(own.length, 'fine-tune');
  const isWhole = own.every((names) => names.length === 0) && details.excluded.length === 0;
  const what = isWhole ? `All ${counted(count, 'tensor')} of` : `${counted(count, 'tensor')} of`;
  const merged = finding({
    level: 'ok',
    topic: 'tensors',
    title: `${what} the ${tasks} match the base in name and shape.`,
    detail: `${counted(layout.elementCount, 'number')} are merged.`,
  });
  const others = new Set([...details.integers, ...details.buffers, ...details.excluded]);
  for (const { baseName } of details.own.flat()) others.add(baseName);
  const unchanged = untouched.filter((name) => !others.has(name) && !tied.has(name));
  if (unchanged.length === 0) return [merged];
  return [
    merged,
    finding({
      level: 'note',
      topic: 'tensors',
      title: `${counted(unchanged.length, 'tensor')} of the base stand in no fine-tune.`,
      detail: 'They stay as the base has them.',
      names: unchanged,
    }),
  ];
}
