import { PeruError } from '@/core/errors';
import { type Selection } from './engine';

/** @throws PeruError `internal` where the selections are not all of the first one's task vector */
export function assertOneTaskVector(
  selections: readonly Pick<Selection, 'center' | 'task'>[],
): void {
  const [first] = selections;
  if (selections.every(({ center, task }) => center === first?.center && task === first.task))
    return;
  throw new PeruError(
    'internal',
    'Selections of several task vectors were measured together.',
    'Please report this fault in Peru.',
  );
}
