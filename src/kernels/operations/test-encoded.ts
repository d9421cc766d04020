/** For the tests of encoding: reads what was encoded the way a loader of the files does. */
import { type ValueDtype } from '@/tensor/dtype';
import { type Center, type EncodedTensor, type Selection } from '@/tensor/engine';
import { decodeFloats } from '@/tensor/half';
import { type FakeGroup, flatWeights } from '@/kernels/test-group';

export async function encodeAll(
  { group }: FakeGroup,
  selection: Selection,
  valueDtype: ValueDtype,
  rescaled = false,
): Promise<EncodedTensor[]> {
  const all: EncodedTensor[] = [];
  for await (const tensor of group.encodeKept(selection, valueDtype, rescaled)) all.push(tensor);
  return all;
}

/** `cumsum(gaps)[gaps != 255] - 1`, as docs and model card have it. */
export function loadedPositions({ gaps }: EncodedTensor): number[] {
  const positions: number[] = [];
  let at = -1;
  for (const gap of gaps) {
    at += gap;
    if (gap !== 255) positions.push(at);
  }
  return positions;
}

/** Float32 values, as NumPy would make them from the stored ones. */
function loadedValues(tensor: EncodedTensor, valueDtype: ValueDtype): Float32Array {
  if (valueDtype !== 'I8') return decodeFloats(tensor.values, valueDtype);
  const scale = Math.fround(tensor.scale!);
  return Float32Array.from(new Int8Array(tensor.values.buffer), (q) => Math.fround(q * scale));
}

/** The center with what was encoded added to it in float32, flat. */
export async function loadedWeights(
  fake: FakeGroup,
  center: Center,
  encoded: readonly EncodedTensor[],
  valueDtype: ValueDtype,
): Promise<Float32Array> {
  const flat = await flatWeights(fake, { kind: center });
  for (const tensor of encoded) {
    const { flatStart } = fake.layout.tensors[tensor.tensor]!;
    const values = loadedValues(tensor, valueDtype);
    loadedPositions(tensor).forEach((position, i) => {
      flat[flatStart + position] = Math.fround(flat[flatStart + position]! + values[i]!);
    });
  }
  return flat;
}

/** Where two arrays differ first, or -1; the test runner takes seconds to compare long ones. */
export function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const end = Math.max(a.length, b.length);
  for (let i = 0; i < end; i++) if (!Object.is(a[i], b[i])) return i;
  return -1;
}

/** Bits of float32 values: -0 is not +0. */
export function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}
