import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PeruError } from '@/core/errors';
import { readSafetensorsHeader } from './safetensors';
import { f32, filled, rawFile, soundFile } from './safetensors.fixture';
import { bitsPerElement, isSafetensorsDtype } from './safetensors-dtype';

const MUTATED_FILES = 12_000;

const sound = [
  soundFile({ a: f32([2, 2], [1, 2, 3, 4]), b: filled('BF16', [3], 6) }, { format: 'pt' }),
  soundFile({ 'x.weight': filled('F16', [4], 8), ids: filled('I64', [1, 2], 16), e: f32([0], []) }),
  soundFile({ s: f32([], [1]), t: filled('U8', [5], 5), u: filled('F8_E4M3', [2, 2], 4) }),
];

type Mutation = (file: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

const flipBits = fc
  .array(fc.nat(), { minLength: 1, maxLength: 4 })
  .map((bits): Mutation => (file) => {
    const copy = file.slice();
    if (copy.length === 0) return copy;
    for (const bit of bits) copy[(bit >> 3) % copy.length]! ^= 1 << (bit & 7);
    return copy;
  });
const truncate = fc.nat().map(
  (length): Mutation =>
    (file) =>
      file.slice(0, length % (file.length + 1)),
);
const insert = fc
  .tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 9 }))
  .map(([at, bytes]): Mutation => (file) => {
    const cut = at % (file.length + 1);
    return new Uint8Array([...file.slice(0, cut), ...bytes, ...file.slice(cut)]);
  });
/** Changes that may leave the file sound: other data, or names put in the place of others. */
const flipData = fc
  .array(fc.nat(), { minLength: 1, maxLength: 4 })
  .map((bits): Mutation => (file) => {
    const copy = file.slice();
    const fromEnd = Math.min(8, copy.length);
    for (const bit of bits) copy[copy.length - 1 - ((bit >> 3) % fromEnd)]! ^= 1 << (bit & 7);
    return copy;
  });
/** Rewrites a part of the header text and corrects its length, to get past the first checks. */
const rewriteHeader = fc
  .tuple(
    fc.constantFrom(/\d+/g, /"[^"]*"/g, /\[[^[\]]*\]/g, /[{}[\]:,]/g, /"dtype":"\w+"/g),
    fc.nat(),
    fc.oneof(
      fc.nat({ max: 40 }).map(String),
      fc.constantFrom('-1', '9007199254740993', '1e3', '""', '"a"', '"b"', '"shape"', '[]', '{}'),
      fc.string().map((name) => JSON.stringify(name)),
      fc.constantFrom('[4]', '[1,4]', '[2,1,2]', '[2,2]', '[3]', '[5]', '[1,3]', '[0]', '[7,0]'),
      fc.constantFrom('"dtype":"U8"', '"dtype":"F16"', '"dtype":"I16"', '"dtype":"F32"'),
      fc.constantFrom('null', '[0,16]', '[16,22]', '"__metadata__"', '"dtype":"F64"', ',', '}', ''),
    ),
  )
  .map(([pattern, which, replacement]): Mutation => (file) => {
    if (file.length < 8) return file;
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    if (length > file.length - 8) return file;
    const text = new TextDecoder().decode(file.slice(8, 8 + length));
    const places = [...text.matchAll(pattern)];
    if (places.length === 0) return file;
    const { index, 0: found } = places[which % places.length]!;
    const header = text.slice(0, index) + replacement + text.slice(index + found.length);
    return rawFile(header, file.slice(8 + length));
  });

/** A sound file, mutated one to three times. */
const mutatedFile = fc
  .tuple(
    fc.constantFrom(...sound),
    fc.array(fc.oneof(flipBits, truncate, insert, flipData, rewriteHeader, rewriteHeader), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([file, mutations]) => mutations.reduce((current, mutate) => mutate(current), file));

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Checks an accepted file by other means: JSON.parse and a byte-by-byte count of owners. */
function expectConsistent(file: Uint8Array<ArrayBuffer>): void {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const text = new TextDecoder('utf-8', { fatal: true }).decode(file.slice(8, 8 + length));
  const header = JSON.parse(text) as Record<string, Entry>;
  const owners = new Uint8Array(file.length - 8 - length);
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      expect(Object.values(entry).every((value: unknown) => typeof value === 'string')).toBe(true);
      continue;
    }
    if (!isSafetensorsDtype(entry.dtype)) throw new Error(`accepted dtype ${entry.dtype}`);
    const [begin, end] = entry.data_offsets;
    const elements = entry.shape.reduce((product, size) => product * size, 1);
    expect((end - begin) * 8).toBe(elements * bitsPerElement(entry.dtype));
    for (let byte = begin; byte < end; byte++) owners[byte]! += 1;
  }
  expect(owners.every((count) => count === 1)).toBe(true);
}

describe('readSafetensorsHeader on mutated files', () => {
  it(`refuses or reads ${MUTATED_FILES} of them, and accepts none that is inconsistent`, async () => {
    let accepted = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(mutatedFile, async (file) => {
        try {
          await readSafetensorsHeader(new Blob([file]), 'mutated');
        } catch (error) {
          if (!(error instanceof PeruError)) throw error;
          refused += 1;
          return;
        }
        accepted += 1;
        expectConsistent(file);
      }),
      { numRuns: MUTATED_FILES, interruptAfterTimeLimit: 100_000, markInterruptAsFailure: true },
    );
    // Both happen often: the mutations neither all miss nor all destroy the file.
    expect(accepted).toBeGreaterThan(MUTATED_FILES / 50);
    expect(refused).toBeGreaterThan(MUTATED_FILES / 2);
  });
});
