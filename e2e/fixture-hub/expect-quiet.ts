import { expect } from '@playwright/test';
import { type FixtureHub } from './start-fixture-hub';

/** Long enough for whoever goes on to ask for something more. */
const QUIET_MS = 1000;
/** Whoever hangs up has done so by then, on a machine however busy (pages/stillness.ts). */
const HUNG_UP_MS = 60_000;

/**
 * Waits until nobody asks for anything and nothing is under way. Whoever hangs up may take a while
 * on a busy machine; whoever does not hang up from a Hub that is made slow is under way for long.
 */
export async function expectQuiet(hub: FixtureHub): Promise<void> {
  const goingOn = async (): Promise<readonly string[]> => {
    const before = hub.requests.length;
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    const asked = hub.requests.slice(before).map(({ path }) => `asked for ${path}`);
    return [...asked, ...hub.underWay];
  };
  await expect.poll(goingOn, { message: 'no request goes on', timeout: HUNG_UP_MS }).toEqual([]);
}
