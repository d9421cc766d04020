import { describe, expect, it } from 'vitest';
import { readAhead } from './read-ahead';

const never = new AbortController().signal;

/** Reads that end when the test says so, and what they were asked. */
function scripted() {
  const under: { item: number; signal: AbortSignal; end: (error?: Error) => void }[] = [];
  let most = 0;
  const read = (item: number, signal: AbortSignal): Promise<string> =>
    new Promise((resolve, reject) => {
      const entry = {
        item,
        signal,
        end: (error?: Error) => {
          under.splice(under.indexOf(entry), 1);
          if (error) reject(error);
          else resolve(`read ${item}`);
        },
      };
      under.push(entry);
      most = Math.max(most, under.length);
    });
  return { under, read, most: () => most };
}

const settle = () => new Promise((next) => setTimeout(next));

describe('reading ahead', () => {
  it('keeps order and the window, whatever ends first', async () => {
    const { under, read, most } = scripted();
    const items = Array.from({ length: 9 }, (_, i) => i);
    const got: string[] = [];
    const done = (async () => {
      const options = { bytesOf: () => 10, windowBytes: 35, read, signal: never };
      for await (const { result } of readAhead(items, options)) got.push(result);
    })();
    while (got.length < items.length) {
      await settle();
      under.at(-1)?.end();
    }
    await done;
    expect(got).toEqual(items.map((item) => `read ${item}`));
    expect(most()).toBe(3);
  });

  it('reads what is larger than the window by itself', async () => {
    const { under, read, most } = scripted();
    const options = { bytesOf: () => 100, windowBytes: 10, read, signal: never };
    const seen: number[] = [];
    const done = (async () => {
      for await (const { item } of readAhead([0, 1, 2], options)) seen.push(item);
    })();
    for (let i = 0; i < 3; i++) {
      await settle();
      under[0]?.end();
    }
    await done;
    expect(seen).toEqual([0, 1, 2]);
    expect(most()).toBe(1);
  });

  it('stops the others when one fails, and when the reader leaves', async () => {
    for (const way of ['fails', 'leaves']) {
      const { under, read } = scripted();
      const options = { bytesOf: () => 1, windowBytes: 4, read, signal: never };
      const done = (async () => {
        for await (const { item } of readAhead([0, 1, 2], options)) if (item === 0) break;
      })();
      await settle();
      const others = under.slice(1);
      under[0]!.end(way === 'fails' ? new Error('gone') : undefined);
      if (way === 'fails') await expect(done).rejects.toThrow('gone');
      else await done;
      expect(others.every(({ signal }) => signal.aborted)).toBe(true);
      expect(others.length).toBeGreaterThan(0);
    }
  });

  it('reads nothing of nothing', async () => {
    const options = { bytesOf: () => 1, windowBytes: 4, read: scripted().read, signal: never };
    for await (const one of readAhead([], options)) expect(one).toBeUndefined();
  });
});
