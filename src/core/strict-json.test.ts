import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStrictJson, type StrictJson, StrictJsonError } from './strict-json';

/** Maps back to what JSON.parse would give, for comparison. */
function plain(value: StrictJson): unknown {
  if (value instanceof Map) {
    return Object.fromEntries(
      [...(value as ReadonlyMap<string, StrictJson>)].map(([key, item]) => [key, plain(item)]),
    );
  }
  return Array.isArray(value) ? value.map(plain) : value;
}

const wholeJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.maxSafeInteger(),
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value')),
    fc.dictionary(fc.string(), tie('value'), { noNullPrototype: true }),
  ),
})).value;

describe('parseStrictJson', () => {
  it('agrees with JSON.parse on JSON of whole numbers, compact or indented', () => {
    fc.assert(
      fc.property(wholeJson, fc.constantFrom(0, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(plain(parseStrictJson(text, 100))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('never accepts what JSON.parse refuses', () => {
    const nearJson = fc
      .tuple(wholeJson, fc.nat(), fc.string({ maxLength: 2 }))
      .map(([value, at, insert]) => {
        const text = JSON.stringify(value);
        const cut = at % (text.length + 1);
        return text.slice(0, cut) + insert + text.slice(cut + 1);
      });
    fc.assert(
      fc.property(nearJson, (text) => {
        let strict: StrictJson;
        try {
          strict = parseStrictJson(text, 100);
        } catch (error) {
          expect(error).toBeInstanceOf(StrictJsonError);
          return;
        }
        expect(plain(strict)).toEqual(JSON.parse(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses a key that stands twice, also when written with an escape', () => {
    expect(() => parseStrictJson('{"a":1,"b":{"c":1,"\\u0063":2}}', 9)).toThrow(/"c" stands twice/);
  });

  it('names the keys around a fault', () => {
    try {
      parseStrictJson('{"a":{"b":[1.5]}}', 9);
      expect.unreachable();
    } catch (error) {
      expect((error as StrictJsonError).path).toEqual(['a', 'b']);
    }
  });

  it('keeps names that are special in JavaScript', () => {
    const root = parseStrictJson('{"__proto__":1,"constructor":2,"1":3,"0":4}', 2);
    expect([...(root as ReadonlyMap<string, StrictJson>)]).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
      ['1', 3],
      ['0', 4],
    ]);
  });

  it.each(['1.5', '1e3', '1.', '01', '+1', '.5', '-', 'NaN', '1 2', '{"a":1,}', '[1,]', '{a:1}'])(
    'refuses %s',
    (text) => {
      expect(() => parseStrictJson(text, 9)).toThrow(StrictJsonError);
    },
  );

  it.each(['"\\ud800"', '"\\x"', '"\\u12g4"', '"a\nb"', '"a'])('refuses the string %j', (text) => {
    expect(() => parseStrictJson(text, 9)).toThrow(StrictJsonError);
  });

  it('stops at the depth it is given, without using the stack', () => {
    expect(parseStrictJson('[[[]]]', 3)).toEqual([[[]]]);
    expect(() => parseStrictJson('[[[[]]]]', 3)).toThrow(/more than 3 levels/);
    expect(() => parseStrictJson('['.repeat(1_000_000), 8)).toThrow(/more than 8 levels/);
  });
});
