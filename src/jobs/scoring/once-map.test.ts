import { describe, expect, it } from 'vitest';
import { OnceMap } from './once-map';

const { signal } = new AbortController();

describe('a value', () => {
  it('is made once for all who ask, and again once it is forgotten', async () => {
    const values = new OnceMap<string, number>();
    let made = 0;
    const get = () => values.get('a', signal, () => Promise.resolve(++made));
    expect(await Promise.all([get(), get()])).toEqual([1, 1]);
    values.forget('a');
    expect(await get()).toBe(2);
  });

  it('that could not be made is tried again', async () => {
    const values = new OnceMap<string, number>();
    const failing = values.get('a', signal, () => Promise.reject(new Error('gone')));
    await expect(failing).rejects.toThrow('gone');
    expect(await values.get('a', signal, () => Promise.resolve(3))).toBe(3);
  });

  it('is left to itself once the job is over, and kept for the next one', async () => {
    const values = new OnceMap<string, number>();
    const job = new AbortController();
    let finish: (value: number) => void = () => undefined;
    const make = () => new Promise<number>((resolve) => (finish = resolve));
    const waiting = values.get('a', job.signal, make);
    job.abort(new DOMException('Stopped.', 'AbortError'));
    await expect(waiting).rejects.toThrow('Stopped.');
    finish(4);
    await expect(values.get('a', job.signal, make)).rejects.toThrow('Stopped.');
    expect(await values.get('a', signal, make)).toBe(4);
  });
});
