/** Opens, plans and loads a group in one go, for tests. */
import { testPlatform } from './context/test-platform.fixture';
import { NO_CHOICES, type PlanChoices } from '@/plan/preflight';
import { type AnyGroup, openGroup, type Opening } from './open-group';

/** Disposing it gives back the engine too. */
export async function loadGroup(
  opening: Omit<Opening, 'platform'>,
  choices: PlanChoices = NO_CHOICES,
): Promise<AnyGroup> {
  const opened = await openGroup({ ...opening, platform: testPlatform() });
  await opened.plan(choices);
  const { group } = await opened.load();
  const dispose = (): void => {
    group.dispose();
    opened.dispose();
  };
  return { ...group, dispose };
}
