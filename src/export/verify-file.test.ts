import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeFloats } from '@/tensor/half';
import { memoryFolder } from './memory-folder.fixture';
import { buildSafetensorsHeader, type HeaderEntry } from './safetensors-writer';
import { verifyFile, type VerifyOptions } from './verify-file';
import {
  copyFile,
  PIECE_BYTES,
  writeFile,
  writeWhole,
  type WrittenFile,
  type WrittenTensor,
} from './written-file';

const PATH = 'x.safetensors';
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Part extends WrittenTensor {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const part = (entry: HeaderEntry, bytes: ArrayLike<number>, more = {}): Part => ({
  ...entry,
  bytes: Uint8Array.from(bytes),
  ...more,
});
const f32 = (name: string, values: readonly number[], more = {}): Part => ({
  ...part({ name, dtype: 'F32', shape: [values.length] }, [], more),
  bytes: encodeFloats(Float32Array.from(values), 'F32'),
});
const gaps = (bytes: readonly number[], kept: number, elementCount: number): Part =>
  part({ name: 'w.gaps', dtype: 'U8', shape: [bytes.length] }, bytes, {
    gaps: { elementCount, kept },
  });

async function written(parts: readonly Part[]) {
  const folder = memoryFolder();
  const { bytes: header, starts } = buildSafetensorsHeader(parts);
  const tensors = parts.map(({ name, dtype, shape, gaps: positions, copied }): WrittenTensor => {
    return {
      name,
      dtype,
      shape,
      ...(positions === undefined ? {} : { gaps: positions }),
      ...(copied === undefined ? {} : { copied }),
    };
  });
  const file = await writeFile(
    folder,
    PATH,
    async (writer) => {
      // Backwards: segments come in any order.
      for (const [i, { bytes }] of [...parts.entries()].reverse()) {
        await writer.write(bytes, starts[i]!);
      }
      await writer.write(header, 0);
    },
    { tensors },
  );
  return { file, bytes: folder.files.get(PATH)!, starts };
}

const check = (bytes: Uint8Array<ArrayBuffer>, file: WrittenFile, options?: VerifyOptions) =>
  verifyFile(new Blob([bytes]), file, options);

describe('a file read back', () => {
  const parts = [
    f32('a', [1, 2, 3]),
    part({ name: 'empty', dtype: 'F16', shape: [0] }, []),
    part({ name: 'b', dtype: 'F16', shape: [2] }, [0, 60, 0, 0]),
    gaps([1, 255, 0, 3], 3, 259 + 1),
  ];

  it('is told with the hash of the whole file', async () => {
    const { file, bytes } = await written(parts);
    let told = 0;
    const onBytes = (count: number): void => {
      told += count;
    };
    expect(await check(bytes, file, { onBytes })).toEqual({
      path: PATH,
      bytes: bytes.length,
      sha256: sha256(bytes),
    });
    expect(told).toBe(bytes.length);
  });

  it('is refused for any byte that changed, by the tensor it lies in', async () => {
    const { file, bytes, starts } = await written(parts);
    for (let at = 0; at < bytes.length; at++) {
      const spoiled = bytes.slice();
      spoiled[at]! ^= 1;
      const failure = check(spoiled, file);
      await expect(failure, `byte ${at}`).rejects.toMatchObject({ kind: 'export' });
      await expect(failure).rejects.toThrow(PATH);
      const index = starts.findLastIndex((start) => start <= at);
      if (index >= 0) await expect(failure).rejects.toThrow(`"${parts[index]!.name}"`);
    }
  });

  it('is refused when it was cut short or grew', async () => {
    const { file, bytes } = await written(parts);
    await expect(check(bytes.slice(0, -1), file)).rejects.toThrow(/instead of/);
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    await expect(check(longer, file)).rejects.toMatchObject({ kind: 'export' });
  });

  it('is refused when its header does not say what was meant', async () => {
    const { file, bytes } = await written(parts);
    const [first, ...rest] = file.tensors!;
    for (const tensors of [
      rest,
      [...file.tensors!, { ...first!, name: 'more' }],
      [{ ...first!, dtype: 'U32' as const }, ...rest],
      [{ ...first!, shape: [3, 1] }, ...rest],
      [rest[0]!, first!, ...rest.slice(1)],
    ]) {
      const failure = check(bytes, { ...file, tensors });
      await expect(failure).rejects.toMatchObject({ kind: 'export' });
      await expect(failure).rejects.toThrow(/its header has/);
    }
  });

  it.each([
    ['F32', [0, 0, 0xc0, 0x7f]],
    ['F32', [0, 0, 0x80, 0xff]],
    ['F16', [0, 0x7c]],
    ['F16', [1, 0xfe]],
    ['BF16', [0x80, 0x7f]],
  ] as const)('is refused for NaN or Inf in %s, unless it may hold some', async (dtype, value) => {
    const bytes = [...value.map(() => 0), ...value];
    const entry = { name: 'n', dtype, shape: [2] };
    const one = await written([f32('a', [1]), part(entry, bytes)]);
    const failure = check(one.bytes, one.file);
    await expect(failure).rejects.toMatchObject({ kind: 'export' });
    await expect(failure).rejects.toThrow(/"n"/);
    await check(one.bytes, one.file, { allowNonFinite: true });
    const copied = await written([part(entry, bytes, { copied: true })]);
    await check(copied.bytes, copied.file);
    const largest = await written([
      part(
        entry,
        bytes.map((byte) => byte & 0x7b),
      ),
    ]);
    await check(largest.bytes, largest.file);
  });

  it.each([
    [[1, 1], 2, 2, null],
    [[1, 1], 2, 1, /reach position 1/],
    [[1, 1], 3, 9, /2 positions instead of 3/],
    [[1, 0], 2, 9, /one position twice/],
    [[1, 255], 1, 999, /without a last position/],
    [[], 0, 0, null],
  ])('with gaps %j for %d of %d is judged', async (bytes, kept, elementCount, message) => {
    const one = await written([gaps(bytes, kept, elementCount)]);
    if (message === null) await check(one.bytes, one.file);
    else await expect(check(one.bytes, one.file)).rejects.toThrow(message);
  });

  it('is not read on once the signal is aborted', async () => {
    const { file, bytes } = await written(parts);
    await expect(check(bytes, file, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });
});

describe('a file that is no safetensors', () => {
  it('is copied by pieces and read back', async () => {
    const source = new Uint8Array(PIECE_BYTES + 5).map((_, i) => (i * 7) >> 3);
    const folder = memoryFolder();
    const asked: number[] = [];
    const file = await copyFile(folder, 'side', {
      byteLength: source.length,
      read: (start, end) => {
        asked.push(end - start);
        return Promise.resolve(source.slice(start, end));
      },
    });
    expect(asked).toEqual([PIECE_BYTES, 5]);
    const verified = await verifyFile(await folder.open('side'), file);
    expect(verified.sha256).toBe(sha256(source));
  });

  it('may be text, or empty', async () => {
    const folder = memoryFolder();
    for (const text of ['', 'größer\n']) {
      const path = `t${text.length}`;
      const file = await writeWhole(folder, path, text);
      const verified = await verifyFile(await folder.open(path), file);
      expect(verified.sha256).toBe(sha256(new TextEncoder().encode(text)));
    }
  });

  it('is refused with holes, or bytes written twice', async () => {
    const two = new Uint8Array(2);
    for (const second of [1, 3]) {
      const failure = writeFile(memoryFolder(), 'x', async (file) => {
        await file.write(two, 0);
        await file.write(two, second);
      });
      await expect(failure).rejects.toThrow(RangeError);
    }
  });
});
