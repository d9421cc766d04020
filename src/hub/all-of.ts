/** Opens several things side by side, and tells of every one that failed. */
import { type ErrorChoice, type ErrorKind, PeruError } from '@/core/errors';

/** Most failures that are spelled out. */
const MOST_TOLD = 12;

/**
 * @param names what each is called in messages, as the visitor named it
 * @returns all of them, in order
 * @throws PeruError the one failure there is, or one that names all of them with their reasons; the
 *   signal's reason once aborted; whatever else `open` throws
 */
export async function allOf<T>(
  names: readonly string[],
  open: (name: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T[]> {
  const settled = await Promise.allSettled(names.map(open));
  signal?.throwIfAborted();
  const failed = settled.flatMap((one): unknown[] =>
    one.status === 'rejected' ? [one.reason] : [],
  );
  const errors = failed.filter((error) => error instanceof PeruError);
  if (errors.length < failed.length) throw failed.find((error) => !(error instanceof PeruError));
  if (errors.length > 0) throw oneOf(errors, names.length);
  return settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

/** One sentence a reason, with all that it is the reason for. */
function reasons(messages: readonly string[]): string[] {
  const told = new Map<string, string[]>();
  for (const message of messages) {
    const [, name, reason] = /^(\S+) (could not be fetched: .+)$/s.exec(message) ?? [];
    const key = reason ?? message;
    const names = told.get(key) ?? [];
    told.set(key, name === undefined ? names : [...names, name]);
  }
  return [...told].map(([reason, names]) =>
    names.length === 0 ? reason : `${names.join(', ')} ${reason}`,
  );
}

function oneOf(errors: readonly PeruError[], count: number): PeruError {
  const [first, another] = errors;
  if (first !== undefined && another === undefined) return first;
  const messages = reasons(errors.map(({ message }) => message));
  const told = messages.slice(0, MOST_TOLD);
  const more = messages.length - told.length;
  const rest = more > 0 ? ` And ${more} more.` : '';
  const kinds = new Set(errors.map(({ kind }) => kind));
  const choices = errors.flatMap((error) => error.choices);
  return new PeruError(
    kindOf(kinds, choices),
    `${errors.length} of ${count} repos could not be opened. ${told.join(' ')}${rest}`,
    [...new Set(errors.map(({ hint }) => hint))].slice(0, MOST_TOLD).join(' '),
    { choices },
  );
}

/** What can be chosen can be answered, whatever else failed. */
function kindOf(kinds: ReadonlySet<ErrorKind>, choices: readonly ErrorChoice[]): ErrorKind {
  if (choices.length > 0) return 'choose-repo';
  const [only, another] = kinds;
  return only !== undefined && another === undefined ? only : 'source';
}
