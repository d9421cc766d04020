import { type GroupPlan } from '@/plan/plan-group';
import { type Finding } from '@/plan/preflight';
import { counted, finding } from './finding';

/** Tensors of integers, which are no parameters. */
export function integerFindings({ details }: GroupPlan): Finding[] {
  const buffers = new Set(details.buffers);
  const integers = details.integers.filter((name) => !buffers.has(name));
  return [...bufferFindings(details.buffers), ...plainIntegers(integers)];
}

/** Masks and ids that a program wrote in another dtype than the base's. */
function bufferFindings(buffers: readonly string[]): Finding[] {
  if (buffers.length === 0) return [];
  const one = buffers.length === 1;
  return [
    finding({
      level: 'note',
      topic: 'integers',
      title: `${counted(buffers.length, 'buffer')} ${one ? 'is' : 'are'} stored as integers in one file and as numbers in another.`,
      detail: `${one ? 'It is' : 'They are'} no ${one ? 'parameter' : 'parameters'}; the merged model has ${one ? 'that' : 'those'} of the base, and every task too.`,
      names: buffers,
    }),
  ];
}

function plainIntegers(integers: readonly string[]): Finding[] {
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
