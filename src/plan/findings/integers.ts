import { type GroupPlan } from '@/plan/plan-group';
import { type Finding } from '@/plan/preflight';
import { counted, finding } from './finding';

/** Tensors of integers, which are no parameters. */
export function integerFindings({ details: { integers } }: GroupPlan): Finding[] {
  if (integers.length === 0) return [];
  return [
    finding({
      level: 'note',
      topic: 'integers',
      title: `${counted(integers.length, 'tensor')} of integers ${integers.length === 1 ? 'is' : 'are'} not merged.`,
      detail:
        'Position ids and the like are no parameters; the merged model has those of the base.',
      names: integers,
    }),
  ];
}
