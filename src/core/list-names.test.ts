import { expect, it } from 'vitest';
import { listFew, listNames } from './list-names';

it('lists all of a few, and says how many more there are', () => {
  expect(listFew([])).toBe('');
  expect(listFew(['a'])).toBe('a');
  expect(listFew(['a', 'b', 'c'])).toBe('a, b, c');
  expect(listFew(['a', 'b', 'c', 'd'])).toBe('a, b, c and 1 more');
});

it('puts the names of a file into quotes', () => {
  expect(listNames([])).toBe('');
  expect(listNames(['a', 'b, c', 'd', 'e', 'f'])).toBe('"a", "b, c", "d" and 2 more');
});
