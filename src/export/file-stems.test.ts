import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileStems } from './file-stems';

const stem = (name: string): string => fileStems([name])[0]!;

describe('fileStems', () => {
  it.each([
    ['mnist', 'mnist'],
    ['google/vit', 'google-vit'],
    ['a\\b:c*d', 'a-b-c-d'],
    ['../../etc/passwd', 'etc-passwd'],
    ['Größe 早い', 'Größe-早い'],
    ['हिन्दी', 'हिन्दी'],
    ['e\u0301', 'é'],
    ['a.b_c-d', 'a.b_c-d'],
    ['tail. . ', 'tail'],
    ['.hidden', 'hidden'],
    ['-flag', 'flag'],
    ['🦙', 'task'],
    ['', 'task'],
    ['.', 'task'],
    ['..', 'task'],
    ['\0\n', 'task'],
    ['con', 'task-con'],
    ['NUL.txt', 'task-NUL.txt'],
    ['com1', 'task-com1'],
    ['console', 'console'],
    ['merged', 'task-merged'],
    ['README', 'task-README'],
    ['recipe.json', 'task-recipe.json'],
  ])('makes of %j the stem %j', (name, expected) => {
    expect(stem(name)).toBe(expected);
  });

  it('numbers what would be one file, also where case is ignored', () => {
    expect(fileStems(['a/b', 'a b', 'A-B', 'a-b-2'])).toEqual(['a-b', 'a-b-2', 'A-B-3', 'a-b-2-2']);
    expect(fileStems(['', '.', '🦙'])).toEqual(['task', 'task-2', 'task-3']);
    // Lower-case first: "ß" and "SS" are one to a file system that folds case.
    expect(new Set(fileStems(['straße', 'STRASSE'])).size).toBe(2);
    expect(fileStems(['straße', 'STRASSE'])[1]).toBe('STRASSE-2');
  });

  it('cuts what is too long, never through a character', () => {
    expect(stem('x'.repeat(300))).toHaveLength(100);
    const [first, second] = fileStems(['x'.repeat(300), 'x'.repeat(400)]);
    expect(second).toHaveLength(100);
    expect(second).not.toBe(first);
    expect(stem(`x${'𝒳'.repeat(99)}`)).toMatch(/^x(?:𝒳){49}$/u);
    // Three bytes each: file systems count bytes.
    expect(stem('早'.repeat(100))).toBe('早'.repeat(73));
  });

  it('gives any names safe stems that differ but for case', () => {
    const names = fc.array(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 120 }),
        fc.constantFrom(
          'aux',
          'AUX',
          'a',
          'A',
          'merged',
          'Merged',
          '..',
          'com¹',
          'x'.repeat(101),
          '早'.repeat(101),
        ),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(names, (list) => {
        const stems = fileStems(list);
        expect(stems).toHaveLength(list.length);
        expect(new Set(stems.map((one) => one.toLowerCase())).size).toBe(list.length);
        for (const one of stems) {
          expect(one).toMatch(/^[\p{L}\p{M}\p{N}_][\p{L}\p{M}\p{N}._-]*$/u);
          expect(one).not.toMatch(/\.$/);
          expect(one.length).toBeLessThanOrEqual(100);
          const file = new TextEncoder().encode(`${one}.sparse.safetensors`);
          expect(file.length).toBeLessThanOrEqual(255);
          expect(one).not.toMatch(/^(?:con|prn|aux|nul|com\d|lpt\d|merged|readme)(?:\.|$)/i);
        }
        expect(fileStems(list)).toEqual(stems);
      }),
    );
  });
});
