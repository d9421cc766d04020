import { describe, expect, it } from 'vitest';
import { fillTemplates, zeroShotHead } from './zero-shot-head';

describe('fillTemplates', () => {
  it('puts every class name into every template, class by class', () => {
    expect(fillTemplates(['cat', 'dog'], ['a {c}.', '{c}, {c}'])).toEqual([
      'a cat.',
      'cat, cat',
      'a dog.',
      'dog, dog',
    ]);
  });

  it('takes names as they are, whatever signs they hold', () => {
    expect(fillTemplates(['$& {c} $1'], ['<{c}>'])).toEqual(['<$& {c} $1>']);
  });

  it.each([
    [[], ['a {c}'], /0 class names/],
    [['cat'], [], /0 templates/],
    [['cat'], ['a {c}', 'a photo'], /"a photo"/],
  ])('refuses classes %j with templates %j', (names, templates, message) => {
    expect(() => fillTemplates(names, templates)).toThrow(message);
  });
});

describe('zeroShotHead', () => {
  it('averages the directions of the templates and brings them back to unit length', async () => {
    const embeds = [
      [1, 0],
      [0, 1],
      [0.6, 0.8],
      [0.6, 0.8],
    ].flat();
    const tower = { embed: () => Promise.resolve(Float32Array.from(embeds)) };
    const head = await zeroShotHead(tower, ['a', 'b'], ['{c}', 'the {c}']);
    const half = Math.fround(Math.SQRT1_2);
    expect([...head]).toEqual([half, half, Math.fround(0.6), Math.fround(0.8)]);
  });
});
