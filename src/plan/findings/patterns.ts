import { type GroupPlan } from '@/plan/plan-group';
import { type Finding } from '@/plan/preflight';
import { counted, finding } from './finding';

/** What the visitor's name patterns do, and those that do nothing. */
export function patternFindings({ details: { excluded, unusedPatterns } }: GroupPlan): Finding[] {
  const unused = unusedPatterns.map((glob) =>
    finding({
      level: 'warning',
      topic: 'patterns',
      title: `The pattern “${glob}” matches no tensor of the base.`,
      detail: 'Look for a slip of the pen: * stands for any characters and ? for one.',
    }),
  );
  if (excluded.length === 0) return unused;
  return [
    ...unused,
    finding({
      level: 'note',
      topic: 'patterns',
      title: `The patterns leave out ${counted(excluded.length, 'tensor')}.`,
      detail: 'They stay as the base has them, for every task.',
      names: excluded,
    }),
  ];
}
