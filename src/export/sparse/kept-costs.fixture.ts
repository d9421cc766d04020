/** Counts what a mask of kept entries costs as gaps and values, on the CPU and tensor by tensor. */
import { type FlatLayout, type TensorSpan } from '@/tensor/layout';
import { gapBytes } from '@/codecs/gaps';
import { type TensorCost } from './sparse-size';

/**
 * Costs of every tensor with kept entries, canonical order.
 *
 * @param mask bit i & 31 of word i >> 5 is set where flat entry i is kept
 */
export function keptCosts(layout: FlatLayout, mask: Uint32Array): TensorCost[] {
  if (mask.length < Math.ceil(layout.elementCount / 32)) {
    throw new RangeError(`A mask of ${mask.length} words is too short for the flat space.`);
  }
  return layout.tensors.map((span) => tensorCost(span, mask)).filter(({ kept }) => kept > 0);
}

/**
 * Goes word by word: inside a word no distance reaches 255, so only the step from the last kept
 * entry before it to its first can cost more than a byte.
 */
function tensorCost({ name, flatStart, elementCount }: TensorSpan, mask: Uint32Array): TensorCost {
  const flatEnd = flatStart + elementCount;
  const firstWord = flatStart >>> 5;
  const endWord = (flatEnd + 31) >>> 5;
  let last = flatStart - 1;
  let kept = 0;
  let skips = 0;
  for (let index = firstWord; index < endWord; index++) {
    let word = mask[index]!;
    if (word === 0) continue;
    const base = index * 32;
    if (base < flatStart) word &= -1 << (flatStart - base);
    if (base + 32 > flatEnd) word &= ~(-1 << (flatEnd - base));
    if (word === 0) continue;
    const distance = base + 31 - Math.clz32(word & -word) - last;
    if (distance >= 255) skips += gapBytes(distance) - 1;
    kept += popCount(word);
    last = base + 31 - Math.clz32(word);
  }
  return { name, kept, gapBytes: kept + skips };
}

/** Set bits of a 32-bit word (Warren, "Hacker's Delight", 5-1). */
function popCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
