import { type GroupPlan } from '@/plan/plan-group';
import { type Finding } from '@/plan/preflight';
import { counted, finding } from './finding';

/** Tensors of integers, which are no parameters. */
export function integerFindings({ details }: GroupPlan): Finding[] {
  const told = new Set([...details.buffers, ...details.largeIntegers]);
  const integers = details.integers.filter((name) => !told.has(name));
  return [
    ...largeIntegers(details.largeIntegers),
    ...bufferFindings(details.buffers),
    ...plainIntegers(integers),
  ];
}

/** Codes of some quantisation that nothing else tells of, or tables. */
function largeIntegers(names: readonly string[]): Finding[] {
  if (names.length === 0) return [];
  const one = names.length === 1;
  return [
    finding({
      level: 'warning',
      topic: 'integers',
      title: `${counted(names.length, 'tensor')} of integers ${one ? 'is' : 'are'} too large for ids or masks.`,
      detail:
        'Integers are not merged: the merged model has those of the base. If they are codes of a quantised model, use the model as it was before quantisation.',
      names,
    }),
  ];
}

/** Masks, ids and frequencies: in one file they are integers, in another rounded to its dtype. */
function bufferFindings(buffers: readonly string[]): Finding[] {
  if (buffers.length === 0) return [];
  const one = buffers.length === 1;
  return [
    finding({
      level: 'note',
      topic: 'integers',
      title: `${counted(buffers.length, 'buffer')} ${one ? 'is' : 'are'} not merged.`,
      detail: `Masks, rotary frequencies and the like are no parameters, and files differ in how they store them; the merged model has ${one ? 'that' : 'those'} of the base, and every task too.`,
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
