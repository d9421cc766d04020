/** Makes findings, and the words they share. */
import { type Finding, MAX_LISTED_NAMES } from '@/plan/preflight';

type Facts = Pick<Finding, 'level' | 'topic' | 'title'> & {
  readonly detail?: string;
  readonly names?: readonly string[];
};

/** A finding with no more names than are shown. */
export function finding({ level, topic, title, detail = '', names = [] }: Facts): Finding {
  const listed = names.slice(0, MAX_LISTED_NAMES);
  return { level, topic, title, detail, names: listed, moreNames: names.length - listed.length };
}

const LEVELS: readonly Finding['level'][] = ['warning', 'note', 'ok'];

/** Warnings, then notes, then what is well; each in the order given. */
export function byLevel(findings: readonly Finding[]): Finding[] {
  return LEVELS.flatMap((level) => findings.filter((one) => one.level === level));
}

/** `1 tensor`, `2 tensors`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`;
}

/** `a`, `a and b`, `a, b and 3 more`. */
export function listed(names: readonly string[], shown = 3): string {
  const rest = names.length - shown;
  const parts = rest > 0 ? [...names.slice(0, shown), `${rest} more`] : names;
  return parts.length < 2
    ? parts.join('')
    : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)!}`;
}

/** The items by a key, in the order in which the keys come up. */
export function groupedBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): readonly (readonly [Item, ...Item[]])[] {
  const groups = new Map<string, [Item, ...Item[]]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
