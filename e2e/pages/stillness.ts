/**
 * Waits follow progress. A busy machine makes every step of a journey slower, and no fixed time
 * tells slow from stuck: a journey fails once its pages showed nothing new for a while.
 */
import { type BrowserContext, type Page } from '@playwright/test';

/** Eight seconds were seen at most, with four busy loops beside journeys on two cores. */
const STILL_MS = 60_000;
const LOOK_EVERY_MS = 1000;

/**
 * Closes the context once nothing moved on its pages: whatever waits for them fails at once, with
 * what they showed last as the reason.
 */
export function closeWhenStill(context: BrowserContext): void {
  let shown: readonly Shown[] = [];
  let movedAt = performance.now();
  const look = async (): Promise<void> => {
    const now = await Promise.all(context.pages().map(whatShows));
    if (JSON.stringify(now) !== JSON.stringify(shown)) movedAt = performance.now();
    shown = now;
  };
  const timer = setInterval(() => {
    // A page that no longer answers is as still as one that shows the same.
    void look().catch(() => undefined);
    if (performance.now() - movedAt < STILL_MS) return;
    clearInterval(timer);
    const states = shown.map(({ state }) => state).join('\n');
    const reason = `Nothing moved for ${STILL_MS / 1000} s. The page's state:\n${states}`;
    // Waits that ask the page time after time only say that it was closed.
    console.error(reason);
    void context.close({ reason });
  }, LOOK_EVERY_MS);
  context.once('close', () => {
    clearInterval(timer);
  });
}

interface Shown {
  /** Status, progress and errors. */
  readonly state: string;
  readonly text: string;
}

function whatShows(page: Page): Promise<Shown> {
  return page.evaluate(() => {
    const all = (selector: string) => [...document.querySelectorAll<HTMLElement>(selector)];
    const said = all('[role=status], [role=alert]').map(({ innerText }) => innerText);
    const bars = [...document.querySelectorAll('progress')];
    const done = bars.map(({ ariaLabel, value, max }) => `${ariaLabel}: ${value} of ${max}`);
    return { state: [...said, ...done].join('\n'), text: document.body.innerText };
  });
}
