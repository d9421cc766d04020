/** Adds the kept entries of one tensor to a part of it. */
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { PeruError } from '@/core/errors';
import { type GapReader, GapsError } from '@/codecs/gap-reader';
import { type KeptBytes } from './kept-tensor';

/** Entries of a tensor that are not added yet, and where reading their gaps stands. */
export interface KeptRest {
  /** None of them lies before it. */
  readonly element: number;
  readonly kept: KeptBytes;
  /** Never read from: each use takes a copy. */
  readonly reader: GapReader;
}

interface About {
  readonly fileName: string;
  readonly name: string;
  readonly elementCount: number;
}

/**
 * into[i] += the value kept at element `from` + i, in f32. A read that reaches the tensor's end
 * checks that all gaps and values were used.
 *
 * @param rest its element is `from` or before it; entries between them are passed over
 * @returns the entries behind this part, inside the same memory
 * @throws PeruError `parse` for gaps that run past the tensor, stand still or do not match the values
 */
export function addKept(
  into: Float32Array,
  from: number,
  { element, kept, reader: before }: KeptRest,
  about: About,
): KeptRest {
  const end = from + into.length;
  const { bytesPerValue: size, decode } = VALUE_CODECS[kept.dtype];
  const valueCount = kept.values.length / size;
  const positions = new Uint32Array(Math.min(end - element, valueCount));
  const reader = before.copy();
  const isLast = end === about.elementCount;
  const used = named(about, () => {
    const bytes = reader.read(kept.gaps, positions, isLast ? Infinity : end);
    if (isLast) reader.end();
    return bytes;
  });
  const count = reader.count - before.count;
  if (count > valueCount) throw broken(about, 'it has fewer values than positions');
  if (isLast && count < valueCount) {
    throw broken(about, `${valueCount - count} of its values have no position`);
  }
  let first = 0;
  while (first < count && positions[first]! < from) first += 1;
  const values = decode(kept.values.subarray(first * size, count * size), kept.step);
  for (let i = first; i < count; i++) into[positions[i]! - from]! += values[i - first]!;
  const [gaps, left] = [kept.gaps.subarray(used), kept.values.subarray(count * size)];
  return { element: end, kept: { ...kept, gaps, values: left }, reader };
}

function named<T>(about: About, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof GapsError) throw broken(about, `its gaps ${cause.message}`, cause);
    throw cause;
  }
}

function broken({ fileName, name }: About, what: string, cause?: unknown): PeruError {
  return new PeruError(
    'parse',
    `${fileName} can not be added to "${name}": ${what}.`,
    'The file was cut or changed: copy it again from the export, or export again with Peru.',
    { cause },
  );
}
