import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DEFAULT_LORA, LORA_SPELLINGS, type LoraChoices, loraKey } from '@/recipe/lora-choices';
import { DEFAULT_RECIPE } from '@/store/state/recipe';
import { readLink, writeLink } from './link';
import { NO_PATTERNS } from '@/store/state/sources';

const LORAS = {
  request: null,
  kind: 'loras',
  cards: [],
  patterns: NO_PATTERNS,
  hubUrl: null,
} as const;

const choices: fc.Arbitrary<LoraChoices> = fc.record({
  make: fc.constantFrom('each', 'one'),
  cap: fc.option(fc.integer({ min: 1, max: 1024 })),
  convolutions: fc.option(
    fc.record({ by: fc.constant('count' as const), q: fc.integer({ min: 1, max: 256 }) }),
  ),
  spelling: fc.constantFrom(...LORA_SPELLINGS),
  alpha: fc.constantFrom('ratio', 'rank'),
  carried: fc.constantFrom('keep', 'leave'),
  // Names as files have them, with what separates in a link.
  weights: fc.dictionary(
    fc.stringMatching(/^[\w:&=+ .-]{1,12}$/),
    fc.integer({ min: -400, max: 400 }).map((n) => n / 100),
    { maxKeys: 3, noNullPrototype: true },
  ),
});

it('carries any choice there and back, and drops it from another kind of group', () => {
  fc.assert(
    fc.property(choices, choices, (lora, before) => {
      const past = writeLink('?threads=1', LORAS, { ...DEFAULT_RECIPE, lora: before });
      const query = writeLink(past, LORAS, { ...DEFAULT_RECIPE, lora });
      const read = readLink(query).recipe.lora ?? DEFAULT_LORA;
      const weights = Object.fromEntries(Object.entries(lora.weights).filter(([, w]) => w !== 1));
      expect(loraKey(read)).toBe(loraKey({ ...lora, weights }));
      const full = writeLink(query, { ...LORAS, kind: 'full' }, DEFAULT_RECIPE);
      expect(readLink(full).recipe).not.toHaveProperty('lora');
    }),
  );
});

it.each(['weight=a', 'weight=:2', 'weight=a:', 'weight=a:x', 'cap=', 'conv=none', 'make=two'])(
  'takes nothing from %s',
  (query) => {
    expect(readLink(`?${query}`).recipe.lora).toEqual(DEFAULT_LORA);
  },
);
