import { describe, expect, test } from 'vitest';
import { bytesPerElement, FLOAT_DTYPES, type FloatDtype } from '@/tensor/dtype';
import { type Engine } from '@/tensor/engine';
import { bf16ToF32Bits, f16ToF32Bits, roundToDtype } from '@/tensor/half';
import { flatLayout, planChunks } from '@/tensor/layout';
import { selectOne } from '@/tensor/one-selection.fixture';
import { useEngine } from '@/kernels/test-device';
import { engineCases } from '@/kernels/engine-cases.fixture';
import { seeded } from '@/kernels/test-group';

/** One tensor in the base and one task, uploaded as they are. */
function rawGroup(
  engine: Engine,
  checkpoints: readonly { readonly dtype: FloatDtype; readonly bytes: Uint8Array<ArrayBuffer> }[],
) {
  const { dtype, bytes } = checkpoints[0]!;
  const elementCount = bytes.length / bytesPerElement(dtype);
  const layout = flatLayout([{ name: 'a', shape: [elementCount] }]);
  const chunks = planChunks(layout, 2, (c) => checkpoints[c]!.dtype, 20_000);
  const group = engine.createGroup({ layout, chunks, taskCount: 1 });
  for (const { index, flatStart, elementCount: count } of chunks) {
    checkpoints.forEach((checkpoint, c) => {
      const each = bytesPerElement(checkpoint.dtype);
      const part = checkpoint.bytes.subarray(each * flatStart, each * (flatStart + count));
      group.upload(c, index, part);
    });
  }
  const weights = async (of: Parameters<typeof group.materialize>[0]) =>
    (await group.materialize(of, 'cpu')).tensors.get('a')!.data as Float32Array<ArrayBuffer>;
  return { group, weights };
}

const ALL_HALVES = Uint16Array.from({ length: 65_536 }, (_, i) => i);

function bytesOf(values: Uint16Array<ArrayBuffer> | Float32Array<ArrayBuffer>) {
  return new Uint8Array(values.buffer);
}

function bitsOf(values: Float32Array<ArrayBuffer>): Uint32Array {
  return new Uint32Array(values.buffer);
}

/** Magnitudes where rounding to halves decides: ties, subnormals, overflow, and plain ones. */
function edges(): Float32Array<ArrayBuffer> {
  const random = seeded(17);
  const bits = [0, 0x3300_0000, 0x3300_0001, 0x3380_0000, 0x477f_efff, 0x477f_f000, 0x477f_ffff];
  for (let exponent = 100; exponent < 146; exponent++) {
    for (let i = 0; i < 60; i++) {
      const half = Math.floor(1024 * random()) << 13; // the fraction of a half
      const low = [0, 0xfff, 0x1000, 0x1001, Math.floor(8192 * random())][i % 5]!;
      bits.push((exponent << 23) | half | low);
      // Fractions of few bits, which tie where half of the last place of a subnormal stands.
      bits.push((exponent << 23) | (Math.floor(8 * random()) << (12 + (i % 9))));
    }
  }
  const both = bits.flatMap((b) => [b, b | 0x8000_0000]);
  return new Float32Array(Uint32Array.from(both).buffer);
}

describe.each(engineCases())('dtypes on $name', (engineCase) => {
  const engine = useEngine(engineCase);

  test.each([
    ['F16', f16ToF32Bits],
    ['BF16', bf16ToF32Bits],
  ] as const)('%s: all 65,536 values are decoded bit for bit', async (dtype, decode) => {
    const checkpoint = { dtype, bytes: bytesOf(ALL_HALVES) };
    const { group, weights } = rawGroup(engine(), [checkpoint, checkpoint]);
    const expected = Uint32Array.from(ALL_HALVES, (half) => decode(half) >>> 0);
    expect(bitsOf(await weights({ kind: 'base' }))).toEqual(expected);
    group.dispose();
  });

  test('F32: bits come out as they went in, whatever they mean', async () => {
    const random = seeded(5);
    const bits = Uint32Array.from({ length: 30_001 }, () => Math.floor(2 ** 32 * random()));
    bits.set([0x7f80_0001, 0xffff_ffff, 1, 0x8000_0001, 0x8000_0000]);
    const checkpoint = { dtype: 'F32', bytes: new Uint8Array(bits.buffer) } as const;
    const { group, weights } = rawGroup(engine(), [checkpoint, checkpoint]);
    expect(bitsOf(await weights({ kind: 'task', task: 0 }))).toEqual(bits);
    group.dispose();
  });

  test.each(FLOAT_DTYPES)('kept values are rounded to %s, ties to even', async (valueDtype) => {
    const u = edges();
    const { group, weights } = rawGroup(engine(), [
      { dtype: 'F32', bytes: new Uint8Array(4 * u.length) },
      { dtype: 'F32', bytes: bytesOf(u) },
    ]);
    const selection = await selectOne(group, 'base', 0, 'global', 100);
    const sparse = await weights({ kind: 'sparse', selection, valueDtype });
    const expected = u.map((value) => 0 + roundToDtype(value, valueDtype));
    expect(bitsOf(sparse)).toEqual(bitsOf(expected));
    group.dispose();
  });
});
