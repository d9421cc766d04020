import { expect, it } from 'vitest';
import { type LaneQueue } from './graph-session';
import { overLanes } from './over-lanes';

interface TestLane {
  readonly name: string;
  readonly queue: LaneQueue | null;
}

const apart = (name: string): TestLane => ({
  name,
  queue: [Promise.resolve(), Promise.resolve()],
});
const here: TestLane = { name: 'here', queue: null };

/** Work that ends when it is told to, and who does what. */
function controlled() {
  const begun: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const work = (item: string, { name }: TestLane): Promise<void> => {
    begun.push(`${name}${item}`);
    return new Promise((resolve, reject) => {
      ends.set(item, (error) => {
        if (error === undefined) resolve();
        else reject(error);
      });
    });
  };
  const end = async (item: string, error?: Error): Promise<void> => {
    ends.get(item)!(error);
    await settle();
  };
  return { begun, work, end };
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

it('gives each lane two at once, and the next to whichever is free', async () => {
  const { begun, work, end } = controlled();
  const lanes = [apart('x'), apart('y')];
  const all = overLanes(lanes, ['1', '2', '3', '4', '5', '6'], work);
  await settle();
  expect(begun.sort()).toEqual(['x1', 'x2', 'y3', 'y4']);
  await end('4');
  await end('5');
  expect(begun.slice(4)).toEqual(['y5', 'y6']);
  for (const item of ['1', '2', '3', '6']) await end(item);
  await all;
});

it('begins what is asked for later as lanes come free of what was asked for before', async () => {
  const { begun, work, end } = controlled();
  const lanes = [apart('x')];
  const first = overLanes(lanes, ['1', '2', '3'], work);
  const second = overLanes(lanes, ['a', 'b'], work);
  await settle();
  await end('1');
  expect(begun).toEqual(['x1', 'x2', 'x3']);
  await end('2');
  expect(begun).toEqual(['x1', 'x2', 'x3', 'xa']);
  const failed = expect(first).rejects.toThrow('broken');
  await end('3', new Error('broken'));
  await failed;
  expect(begun.at(-1)).toBe('xb');
  await end('a');
  await end('b');
  await second;
});

it('does one after the other in this thread, and none after one that fails', async () => {
  const { begun, work, end } = controlled();
  const all = overLanes([here], ['1', '2', '3'], work);
  await settle();
  expect(begun).toEqual(['here1']);
  await end('1');
  const failed = expect(all).rejects.toThrow('broken');
  await end('2', new Error('broken'));
  await failed;
  expect(begun).toEqual(['here1', 'here2']);
});

it('waits for no lane apart once aborted, and gives it nothing more', async () => {
  const { begun, work, end } = controlled();
  const stop = new AbortController();
  const all = overLanes([apart('x')], ['1', '2', '3'], work, stop.signal);
  await settle();
  stop.abort();
  await expect(all).rejects.toMatchObject({ name: 'AbortError' });
  await end('1');
  expect(begun).toEqual(['x1', 'x2']);
});

it('waits for what is computed in this thread although aborted', async () => {
  const { work, end } = controlled();
  const stop = new AbortController();
  let isOver = false;
  const all = overLanes([here], ['1'], work, stop.signal).then(() => {
    isOver = true;
  });
  stop.abort();
  await settle();
  expect(isOver).toBe(false);
  await end('1');
  await all;
});
