import { PeruError } from '@/core/errors';

/** What to do about a file that is not what was saved. */
export const SAVE_AGAIN =
  'Save the adapter again with save_pretrained in PEFT, or download its folder again.';

/** What an adapter gets told that changes one thing in two ways. */
export function standsTwice(adapter: string, what: string): PeruError {
  return new PeruError('mismatch', `${adapter} holds two adaptations of "${what}".`, SAVE_AGAIN);
}
