/** What must not happen however Peru is used. */
import { PeruError } from '@/core/errors';

export function invariantError(message: string): PeruError {
  return new PeruError('internal', message, 'Please report this fault in Peru.');
}
