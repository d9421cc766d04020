/** Opens, plans and loads a group in one go, for tests. */
import { NO_CHOICES, type PlanChoices } from '@/plan/preflight';
import { type LoadedGroup, openGroup, type Opening } from './open-group';

/** Disposing it gives back the engine too. */
export async function loadGroup(
  opening: Opening,
  choices: PlanChoices = NO_CHOICES,
): Promise<LoadedGroup> {
  const opened = await openGroup(opening);
  await opened.plan(choices);
  const loaded = await opened.load();
  const dispose = (): void => {
    loaded.dispose();
    opened.dispose();
  };
  return { ...loaded, dispose };
}
