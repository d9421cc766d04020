import { describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from './clock';

describe('a wait', () => {
  it('ends with its signal, aborted before or meanwhile', async () => {
    const controller = new AbortController();
    const sleeping = SYSTEM_CLOCK.sleep(60_000, controller.signal);
    controller.abort(new Error('Up.'));
    await expect(sleeping).rejects.toThrow('Up.');
    await expect(SYSTEM_CLOCK.sleep(60_000, controller.signal)).rejects.toThrow('Up.');
  });
});
