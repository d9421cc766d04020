import { afterEach, describe, expect, it } from 'vitest';
import { Crew } from './crew';
import { inlineThreads, type Threads } from './threads';

const opened: Threads[] = [];

function threads(lost: Promise<string> = new Promise(() => undefined)): Threads {
  const made = { ...inlineThreads(2), lost };
  opened.push(made);
  return made;
}

afterEach(() => {
  for (const one of opened.splice(0)) one.dispose();
});

describe('a crew', () => {
  it('answers in the order of its threads', async () => {
    const crew = new Crew(threads());
    expect(await crew.ask((_, part) => Promise.resolve(10 * part))).toEqual([0, 10]);
    expect(await crew.askOne(1, () => Promise.resolve('one'))).toBe('one');
  });

  it('waits for no thread once one has ended', async () => {
    let end: (reason: string) => void = () => undefined;
    const crew = new Crew(threads(new Promise((resolve) => (end = resolve))));
    const never = crew.ask(() => new Promise<void>(() => undefined));
    end('it crashed');
    await expect(never).rejects.toMatchObject({ kind: 'worker-stopped' });
    await expect(crew.askOne(0, (thread) => thread.closeShard(7))).rejects.toThrow(/it crashed/);
  });

  it('tells a thread without memory from a fault', async () => {
    const crew = new Crew(threads());
    const failing = (error: Error) => crew.ask(() => Promise.reject(error));
    await expect(failing(new RangeError('Array buffer allocation failed'))).rejects.toMatchObject({
      kind: 'out-of-memory',
      message: expect.stringContaining('allocation failed') as string,
    });
    await expect(crew.ask((thread) => thread.dropMerged(7))).rejects.toMatchObject({
      kind: 'internal',
      message: expect.stringContaining('does not hold') as string,
    });
  });
});
