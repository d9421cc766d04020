/**
 * Times the code of packed values on one core, beside what version 1 does with the same entries: gaps, and
 * values rounded to F16. Rates are of the F32 weights that the entries lie in.
 */
import { encodeGaps } from '@/codecs/gaps';
import { GapReader } from '@/codecs/gap-reader';
import { MagnitudeCounts } from '@/codecs/packed/codebook';
import { levelCount, type PackedFormat } from '@/codecs/packed/packed-format';
import {
  codeTensor,
  decodeTensor,
  type KeptEntries,
  planBlocks,
} from '@/codecs/packed/tensor-code';
import { decodeFloats, encodeFloats } from '@/tensor/half';
import { type BenchOutput } from './record';
import { median } from './pairs';

/** A layer of a ViT-B/32's MLP, so many times over. */
const ELEMENTS = 768 * 3072;
const TENSORS = 10;
const RUNS = 3;
const CASES: readonly (readonly [PackedFormat, number])[] = [
  ['Q1', 1],
  ['Q2', 5],
  ['Q4', 20],
];

export function benchPacked({ print, record }: BenchOutput): void {
  print(`packed values, ${TENSORS} tensors of ${ELEMENTS}; one core, median of ${RUNS}`);
  for (const [format, percent] of CASES) {
    const tensors = Array.from({ length: TENSORS }, (_, t) => madeUpEntries(t, percent / 100));
    const code = { format, codebook: codebookOf(tensors, format) };
    const coded = tensors.map((entries) => codeTensor(entries, code, 1));
    const gaps = tensors.map(({ positions }) => encodeGaps(positions));
    const halves = tensors.map(({ values }) => encodeFloats(values, 'F16'));
    const seconds = {
      encode: timed(() => {
        // Planned in one pass and coded in another.
        codebookOf(tensors, format);
        for (const entries of tensors) {
          planBlocks(entries);
          codeTensor(entries, code, 1);
        }
      }),
      decode: timed(() => {
        for (const one of coded) decodeTensor(one, code, ELEMENTS);
      }),
      encodeFirst: timed(() => {
        for (const { positions, values } of tensors) {
          encodeGaps(positions);
          encodeFloats(values, 'F16');
        }
      }),
      decodeFirst: timed(() => {
        tensors.forEach(({ positions }, t) => {
          new GapReader(ELEMENTS).read(gaps[t]!, new Uint32Array(positions.length));
          decodeFloats(halves[t]!, 'F16');
        });
      }),
    };
    const megabytes = (4 * ELEMENTS * TENSORS) / 1e6;
    const rate = (of: keyof typeof seconds): string =>
      `${Math.round(megabytes / seconds[of])} MB/s`;
    print(
      `  ${format}, ${percent} %: ${rate('encode')} to encode, ${rate('decode')} to decode; ` +
        `version 1 ${rate('encodeFirst')}, ${rate('decodeFirst')}`,
    );
    record('packed', { format, percent, megabytes, ...seconds });
  }
}

function timed(work: () => void): number {
  work();
  const all = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    work();
    return (performance.now() - start) / 1e3;
  });
  return median(all);
}

function codebookOf(tensors: readonly KeptEntries[], format: PackedFormat) {
  const counts = new MagnitudeCounts();
  for (const { values } of tensors) counts.add(values);
  return counts.codebook(levelCount(format));
}

/** Positions at random, magnitudes of an exponential's tail. */
function madeUpEntries(seed: number, share: number): KeptEntries {
  let state = (seed + 1) * 2654435761;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const positions: number[] = [];
  for (let at = 0; at < ELEMENTS; at++) if (random() < share) positions.push(at);
  return {
    positions: Uint32Array.from(positions),
    values: Float32Array.from(
      positions,
      () => (random() < 0.5 ? -1 : 1) * (1 - Math.log(random())),
    ),
  };
}
