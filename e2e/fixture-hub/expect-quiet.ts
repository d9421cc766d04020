import { expect } from '@playwright/test';
import { type FixtureHub } from './start-fixture-hub';

/** Long enough for whoever goes on to ask for something more. */
const QUIET_MS = 1000;

/**
 * Waits until nobody asks for anything and nothing is under way. Whoever hangs up may take a while
 * on a busy machine; whoever does not hang up from a Hub that is made slow is under way for long.
 */
export async function expectQuiet(hub: FixtureHub): Promise<void> {
  const asked = async (): Promise<number> => {
    const before = hub.requests.length;
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    return hub.requests.length - before + hub.underWay;
  };
  await expect.poll(asked, 'no request goes on').toBe(0);
}
