import { describe, expect, test } from 'vitest';
import { PageStream, type PageSource } from './page-stream';

const PAGE = 10;

/** A stream over pages of `PAGE` bytes that remembers what was loaded and dropped, in order. */
function countingStream(
  chunkCount: number,
  pages: number,
  options: Partial<PageSource<string>> = {},
) {
  const loads: string[] = [];
  const held = new Set<string>();
  let most = 0;
  const source: PageSource<string> = {
    chunks: Array.from({ length: chunkCount }, (_, index) => ({ index })),
    bytesOf: () => PAGE,
    load: async (checkpoint, chunkIndex) => {
      const name = `${checkpoint}:${chunkIndex}`;
      loads.push(name);
      await Promise.resolve();
      held.add(name);
      most = Math.max(most, held.size);
      return name;
    },
    drop: (page) => {
      expect(held.delete(page), `${page} is dropped once`).toBe(true);
    },
    ...options,
  };
  const stream = new PageStream(source, pages * PAGE);
  const visit = async (checkpoints: readonly number[]): Promise<number[]> => {
    const visited: number[] = [];
    for await (const chunk of stream.walk(checkpoints)) {
      for (const c of checkpoints) expect(stream.page(c, chunk)).toBe(`${c}:${chunk}`);
      visited.push(chunk);
    }
    return visited;
  };
  return { stream, loads, held, visit, most: () => most };
}

describe('PageStream', () => {
  test('reads everything once where all of it fits', async () => {
    const { visit, loads } = countingStream(5, 15);
    for (const checkpoints of [[0, 1, 2], [1], [0, 2], [2]]) {
      expect(await visit(checkpoints)).toEqual([0, 1, 2, 3, 4]);
    }
    expect(loads.length).toBe(15);
  });

  test('base and one task stay while all tasks are gone through', async () => {
    const { visit, loads, most } = countingStream(6, 12);
    await visit([0, 1, 2, 3]);
    for (const task of [1, 2, 3]) {
      for (const checkpoints of [[task], [task], [0, task], [task], [0, task]]) {
        await visit(checkpoints);
      }
    }
    const readsOf = (c: number): number => loads.filter((name) => name.startsWith(`${c}:`)).length;
    expect(readsOf(0)).toBe(6);
    for (const task of [1, 2, 3]) expect(readsOf(task)).toBeLessThanOrEqual(12);
    expect(most()).toBe(12);
  });

  test('a walk over twice the room finds almost half of it the next time', async () => {
    const { visit, loads } = countingStream(20, 10);
    await visit([1]);
    loads.length = 0;
    await visit([1]);
    expect(loads.length).toBeLessThanOrEqual(12);
  });

  test('the next chunk is loaded while one is visited, and no other', async () => {
    const { stream, loads } = countingStream(4, 4);
    for await (const chunk of stream.walk([0, 1])) {
      const last = Math.min(chunk + 1, 3);
      expect(loads.length).toBe(2 * (last + 1));
    }
  });

  test('without room for two chunks nothing is loaded ahead; without room for one it fails', async () => {
    const { stream, loads, visit } = countingStream(4, 3);
    for await (const chunk of stream.walk([0, 1])) expect(loads.length).toBe(2 * (chunk + 1));
    await expect(visit([0, 1, 2, 3])).rejects.toMatchObject({ kind: 'out-of-memory' });
    expect(await visit([2])).toEqual([0, 1, 2, 3]);
  });

  test('leaves out what is not wanted, also when that shows on the way', async () => {
    const { stream, loads } = countingStream(6, 2);
    const settledAfter = 3;
    let at = 0;
    const visited: number[] = [];
    const wanted = () => Promise.resolve((c: number) => c >= 1 && at < settledAfter);
    for await (const chunk of stream.walk([1], wanted)) {
      visited.push(chunk);
      at = chunk;
    }
    expect(visited).toEqual([1, 2, 3]);
    expect(loads).toEqual(['1:1', '1:2', '1:3', '1:4']); // one was read ahead in vain
  });

  test('pages stay until the work on their chunk is done', async () => {
    const done: number[] = [];
    let working = 0;
    const { stream, held } = countingStream(3, 1, {
      passed: async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        expect([...held]).toEqual([`1:${working}`]);
        done.push(working);
      },
    });
    for await (const chunk of stream.walk([1])) working = chunk;
    expect(done).toEqual([0, 1, 2]);
  });

  test.each([0, 1, 3])('a failed load of chunk %i is told once, and tried again', async (bad) => {
    let broken = true;
    const loads: string[] = [];
    const { stream, visit } = countingStream(4, 4, {
      load: async (c, chunk) => {
        loads.push(`${c}:${chunk}`);
        await Promise.resolve();
        if (broken && c === 1 && chunk === bad) throw new TypeError('gone');
        return `${c}:${chunk}`;
      },
      drop: () => undefined,
    });
    await expect(visit([0, 1])).rejects.toThrow(new TypeError('gone'));
    broken = false;
    expect(await visit([0, 1])).toEqual([0, 1, 2, 3]);
    expect(() => stream.page(0, 0)).toThrow(/not held/);
  });

  test('a visitor that throws leaves nothing pinned, and waits for what is being read', async () => {
    const { stream, held, visit } = countingStream(4, 2);
    const broken = async (): Promise<void> => {
      for await (const chunk of stream.walk([1])) if (chunk === 1) throw new Error('visitor');
    };
    await expect(broken()).rejects.toThrow('visitor');
    expect(held.size).toBe(2);
    expect(await visit([2])).toEqual([0, 1, 2, 3]);
    stream.setRoom(PAGE);
    expect(held.size).toBe(1);
  });

  test('dispose drops what is held and what arrives later, and ends a walk', async () => {
    const dropped: string[] = [];
    const { stream } = countingStream(4, 4, {
      load: async (c, chunk) => {
        await new Promise((resolve) => setTimeout(resolve, chunk));
        return `${c}:${chunk}`;
      },
      drop: (page) => dropped.push(page),
    });
    const walking = async (): Promise<void> => {
      for await (const chunk of stream.walk([0, 1])) if (chunk === 0) stream.dispose();
    };
    await expect(walking()).rejects.toThrow(/disposed/);
    expect(dropped.sort()).toEqual(['0:0', '0:1', '1:0', '1:1']);
  });
});
