import { expect, it } from 'vitest';
import { Ahead } from './ahead';

const settle = () => new Promise((resolve) => setTimeout(resolve));

it('keeps so many at once, each told when those before it are over', async () => {
  const pieces = new Ahead(2);
  const told: string[] = [];
  const ends: (() => void)[] = [];
  const begin = (name: string): void => {
    pieces.begin(async (before) => {
      const own = new Promise<void>((resolve) => ends.push(resolve));
      await before;
      await own;
      told.push(name);
    });
  };
  begin('a');
  await pieces.room();
  begin('b');
  let hasRoom = false;
  const room = pieces.room().then(() => {
    hasRoom = true;
  });
  ends[1]!();
  await settle();
  expect([told, hasRoom]).toEqual([[], false]);
  ends[0]!();
  await room;
  await pieces.end();
  expect(told).toEqual(['a', 'b']);
});

it('tells what fails to whoever waits, once', async () => {
  const pieces = new Ahead(1);
  pieces.begin(() => Promise.reject(new Error('broken')));
  await settle();
  await expect(pieces.room()).rejects.toThrow('broken');
  await pieces.end();
});
