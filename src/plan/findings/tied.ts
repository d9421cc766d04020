import { type GroupPlan } from '@/plan/plan-group';
import { type Finding } from '@/plan/preflight';
import { counted, finding, listed } from './finding';

/** Copies of a tensor that stand in some of the files. */
export function tiedFindings({ details }: GroupPlan): Finding[] {
  const holders = details.names.filter((_, index) => details.copies[index]!.length > 0);
  if (holders.length === 0) return [];
  const names = [...new Set(details.copies.flat())];
  const verb = holders.length === 1 ? 'holds' : 'hold';
  return [
    finding({
      level: 'note',
      topic: 'tied',
      title: `${listed(holders)} ${verb} ${counted(names.length, 'copy', 'copies')} of an embedding.`,
      detail:
        'The model has it once, so it is merged once; where the base has the copies, they are written alike.',
      names,
    }),
  ];
}
