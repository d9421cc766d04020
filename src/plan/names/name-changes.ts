/** How the names that an adapter uses become those of a base: beginnings that are exchanged. */

/**
 * Names that begin with `from` begin with `to` in the base. A part `#` stands for a number; those
 * of the one are those of the other, in their order.
 */
export interface NameChange {
  readonly from: string;
  readonly to: string;
}

/** What a change makes of a name; null where the name does not begin so. */
export type Changer = (name: string) => string | null;

/** Makes a function of a change, for many names. */
export function changer({ from, to }: NameChange): Changer {
  if (!from.includes('#')) {
    return (name) => (name.startsWith(from) ? to + name.slice(from.length) : null);
  }
  const pattern = new RegExp(`^${escaped(from).replaceAll('#', '(\\d+)')}`);
  return (name) => {
    const found = pattern.exec(name);
    if (found === null) return null;
    let next = 1;
    return to.replaceAll('#', () => found[next++]!) + name.slice(found[0].length);
  };
}

/** The change from the base's names back to the adapter's. */
export function backwards({ from, to }: NameChange): NameChange {
  return { from: to, to: from };
}

/** Without the parts that both end with; a change of nothing is `{ from: '', to: '' }`. */
export function shortened({ from, to }: NameChange): NameChange {
  const [a, b] = [from.split('.').slice(0, -1), to.split('.').slice(0, -1)];
  while (a.length > 0 && b.length > 0 && a.at(-1) === b.at(-1)) {
    a.pop();
    b.pop();
  }
  return { from: beginning(a), to: beginning(b) };
}

/** Parts as they stand before others. */
export function beginning(parts: readonly string[]): string {
  return parts.map((part) => `${part}.`).join('');
}

/** The most telling first: of two that fit a name, the one that says more of it. */
export function byLength(changes: readonly NameChange[]): NameChange[] {
  return [...changes].sort((a, b) => b.from.length - a.from.length);
}

/** Words for a part of any model. */
const PLACES =
  /^(?:module|base_model|base|visual|vision|text|audio|image|language|backbone|trunk|h|stages?|layers?|blocks?|(?:\w+_)?(?:model|tower|encoder|decoder|transformer|backbone|layers?|blocks?))$/;

/**
 * Whether both beginnings name a model, and not the same: `bert.` and `roberta.` may hold layers
 * of one shape, but an adapter of the one is none of the other.
 */
export function areOtherModels({ from, to }: NameChange): boolean {
  const [a, b] = [from.split('.'), to.split('.')];
  return (
    !a.every((part) => isPart(part) || b.includes(part)) &&
    !b.every((part) => isPart(part) || a.includes(part))
  );
}

/** Whether a beginning says where in a model it is, and not which model. */
export function isPlace(text: string): boolean {
  return text.split('.').every(isPart);
}

function isPart(part: string): boolean {
  return part === '' || /^[\d#]+$/.test(part) || PLACES.test(part);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
