/** Which tower of a model a name speaks of, so that one is never laid over another. */
import { type NameChange } from './name-changes';

/** Words that exclude each other: a tower of one is none of another. */
const KINDS: readonly (readonly RegExp[])[] = [
  [/vision|visual|image/i, /text|language/i, /audio|speech/i],
  [/encoder/i, /decoder/i],
];

/** Whether both beginnings say which part of a model they are, and not the same. */
export function areOtherTowers({ from, to }: NameChange): boolean {
  return KINDS.some((words) => {
    const [a, b] = [words.filter((word) => word.test(from)), words.filter((word) => word.test(to))];
    return a.length > 0 && b.length > 0 && !a.some((word) => b.includes(word));
  });
}
