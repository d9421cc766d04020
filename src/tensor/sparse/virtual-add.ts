/** Adds the kept entries of one tensor to a part of it. */
import { bytesPerValue, type ValueDtype } from '../dtype';
import { PeruError } from '../errors';
import { decodeFloats } from '../half';

/** Kept entries of one tensor as their file holds them. */
export interface KeptBytes {
  readonly gaps: Uint8Array<ArrayBuffer>;
  readonly values: Uint8Array<ArrayBuffer>;
  readonly dtype: ValueDtype;
  /** Step of I8 values, an f32; null for the other dtypes. */
  readonly step: number | null;
}

/** Where reading gaps stands: all kept entries below `element` lie behind it. */
export interface Cursor {
  readonly element: number;
  /** Next byte of the gaps. */
  readonly gap: number;
  /** Next value. */
  readonly value: number;
  /** Sum of the gaps read: the last kept position, where no skips follow it. */
  readonly position: number;
}

export const START: Cursor = { element: 0, gap: 0, value: 0, position: -1 };

const SKIP = 255;

interface About {
  readonly fileName: string;
  readonly name: string;
  readonly elementCount: number;
}

/**
 * into[i] += the value kept at element `from` + i, in f32. A read that reaches the tensor's end
 * checks that all gaps and values were used.
 *
 * @param cursor one that came of the same entries, not beyond `from`; `START` always fits
 * @returns where the next part goes on
 * @throws PeruError `parse` for gaps that run past the tensor, stand still or do not match the values
 */
export function addKept(
  into: Float32Array,
  from: number,
  kept: KeptBytes,
  cursor: Cursor,
  about: About,
): Cursor {
  const { gaps } = kept;
  const end = from + into.length;
  const valueCount = kept.values.length / bytesPerValue(kept.dtype);
  const positions = new Uint32Array(Math.min(into.length, valueCount));
  let { gap, value, position } = cursor;
  let [count, firstValue] = [0, -1];
  while (gap < gaps.length) {
    const step = gaps[gap]!;
    const next = position + step;
    if (step === SKIP) {
      gap += 1;
      position = next;
      continue;
    }
    if (next >= end) break;
    if (step === 0 && gaps[gap - 1] !== SKIP) throw broken(about, 'its gaps stand still');
    if (value >= valueCount) throw broken(about, 'it has fewer values than positions');
    if (next >= from) {
      if (firstValue < 0) firstValue = value;
      positions[count++] = next - from;
    }
    [gap, value, position] = [gap + 1, value + 1, next];
  }
  if (end === about.elementCount) {
    checkEnd(about, gap < gaps.length, valueCount - value);
    if (gaps.at(-1) === SKIP) throw broken(about, 'its last gaps lead to no position');
  }
  const values = decodeValues(kept, Math.max(0, firstValue), count);
  for (let i = 0; i < count; i++) into[positions[i]!]! += values[i]!;
  return { element: end, gap, value, position };
}

function checkEnd(about: About, runsPast: boolean, valuesLeft: number): void {
  if (runsPast) {
    throw broken(about, `its gaps run past the tensor's ${about.elementCount} elements`);
  }
  if (valuesLeft > 0) throw broken(about, `${valuesLeft} of its values have no position`);
}

/**
 * Values [first, first + count) in f32: those of I8 are multiples of the step, rounded once.
 */
function decodeValues(
  { values, dtype, step }: KeptBytes,
  first: number,
  count: number,
): Float32Array {
  const size = bytesPerValue(dtype);
  const bytes = values.subarray(first * size, (first + count) * size);
  if (dtype !== 'I8') return decodeFloats(bytes, dtype);
  const codes = new Int8Array(bytes.buffer, bytes.byteOffset, count);
  return Float32Array.from(codes, (code) => code * (step ?? 0));
}

function broken({ fileName, name }: About, what: string): PeruError {
  return new PeruError(
    'parse',
    `${fileName} can not be added to "${name}": ${what}.`,
    'The file was cut or changed: copy it again from the export, or export again with Peru.',
  );
}
