/** Encodes kept entries entry by entry, slow and plain: what `WeightGroup.encodeKept` must give. */
import { type ValueDtype } from '@/tensor/dtype';
import { type EncodedTensor } from '@/tensor/engine';
import { encodeFloats } from '@/tensor/half';
import { type FlatLayout } from '@/tensor/layout';
import { encodeGaps } from '@/codecs/gaps';

/** Flat entries whose bit is set. */
function isKept(mask: Uint32Array, flat: number): boolean {
  return ((mask[flat >> 5]! >>> (flat & 31)) & 1) === 1;
}

/** Positions inside a tensor and their values, of every tensor with kept entries. */
export function keptEntries(layout: FlatLayout, mask: Uint32Array, values: Float32Array) {
  return layout.tensors.flatMap(({ name, flatStart, elementCount }, tensor) => {
    const positions = Array.from({ length: elementCount }, (_, i) => i).filter((i) =>
      isKept(mask, flatStart + i),
    );
    if (positions.length === 0) return [];
    const kept = Float32Array.from(positions, (i) => values[flatStart + i]!);
    return [{ name, tensor, positions, values: kept }];
  });
}

export async function* encodeEntries(
  layout: FlatLayout,
  mask: Uint32Array,
  values: Float32Array,
  dtype: ValueDtype,
): AsyncGenerator<EncodedTensor> {
  for (const { tensor, positions, values: kept } of keptEntries(layout, mask, values)) {
    await Promise.resolve();
    const gaps = encodeGaps(positions);
    const shared = { tensor, kept: positions.length, gaps };
    if (dtype !== 'I8') {
      yield { ...shared, values: encodeFloats(kept, dtype), scale: null, gain: 1 };
      continue;
    }
    const largest = kept.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const perStep = Math.fround(127 / largest);
    const counts = Int8Array.from(kept, (value) => Math.round(value * perStep));
    const scale = Math.fround(largest / 127);
    yield { ...shared, values: new Uint8Array(counts.buffer), scale, gain: 1 };
  }
}
