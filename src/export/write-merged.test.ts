import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkpointTensors } from '@/tensor/checkpoint-tensors';
import { type FloatDtype } from '@/tensor/dtype';
import { decodeFloats, encodeFloats } from '@/tensor/half';
import { readSafetensorsHeader, readTensorBytes } from '@/tensor/safetensors';
import { filled, soundFile } from '@/tensor/safetensors.fixture';
import { memoryFolder } from './memory-folder.fixture';
import { mergedFileSizes } from './merged-size';
import { mergedSha, verifyFile } from './verify-file';
import { writeMerged, type WriteMergedSpec } from './write-merged';

/** A base with tensors of all kinds: merged ones, integers, one without elements, a scalar. */
const base = soundFile({
  'a.weight': filled('F32', [5, 3], 60),
  position_ids: filled('I64', [1, 3], 24),
  empty: filled('F16', [0, 4], 0),
  'b.bias': filled('BF16', [3], 6),
  mask: filled('BOOL', [7], 7),
  logit_scale: filled('F32', [], 4),
});
const header = await readSafetensorsHeader(new Blob([base]), 'base');
const MERGED = new Set(['a.weight', 'empty', 'b.bias', 'logit_scale']);
/** Value of element i of a merged tensor. */
const valueAt = (name: string, i: number): number => name.length + i / 4;

function spec(dtype: FloatDtype, maxShardBytes?: number): WriteMergedSpec & { asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    baseTensors: header.tensors,
    dtypeOf: (name) => (MERGED.has(name) ? dtype : undefined),
    recipeJson: '{"peru":1}',
    ...(maxShardBytes === undefined ? {} : { maxShardBytes }),
    pieceBytes: 16,
    readMerged: (name, start, count) => {
      asked.push(count);
      const values = Float32Array.from({ length: count }, (_, i) => valueAt(name, start + i));
      return Promise.resolve(encodeFloats(values, dtype));
    },
    read: (name, start, end) => readTensorBytes(new Blob([base]), header, name, { start, end }),
  };
}

describe.each(['F32', 'F16', 'BF16'] as const)('a merged model in %s', (dtype) => {
  it.each([undefined, 20])(
    'is read back as it was meant, cut at %s bytes',
    async (maxShardBytes) => {
      const folder = memoryFolder();
      const wanted = spec(dtype, maxShardBytes);
      let told = 0;
      const onBytes = (bytes: number): void => {
        told += bytes;
      };
      const { shards, index } = await writeMerged(folder, wanted, { onBytes });
      const files = [...folder.files].map(([name, bytes]) => ({ name, bytes: bytes.length }));
      expect(files).toEqual(mergedFileSizes(wanted));
      expect(told).toBe(files.reduce((sum, { bytes }) => sum + bytes, 0));
      expect(Math.max(...wanted.asked) * (dtype === 'F32' ? 4 : 2)).toBeLessThanOrEqual(16);
      expect(folder.openPaths.size).toBe(0);
      for (const file of [...shards, index]) await verifyFile(await folder.open(file.path), file);

      const opened = await Promise.all(
        shards.map(async ({ path }) => {
          const blob = await folder.open(path);
          return { blob, header: await readSafetensorsHeader(blob, path) };
        }),
      );
      const { tensors } = checkpointTensors('merged', opened);
      expect([...tensors.keys()]).toEqual([...header.tensors.keys()]);
      const map = JSON.parse(new TextDecoder().decode(folder.files.get(index.path))) as {
        weight_map: Record<string, string>;
      };
      for (const [name, { fileName, shape, dtype: found, source }] of tensors) {
        const from = header.tensors.get(name)!;
        expect(map.weight_map[name]).toBe(fileName);
        expect(shape).toEqual(from.shape);
        expect(found).toBe(MERGED.has(name) ? dtype : from.dtype);
        const file = opened.find((one) => one.blob === source)!;
        const bytes = await readTensorBytes(source, file.header, name);
        if (MERGED.has(name)) {
          expect([...decodeFloats(bytes, dtype)]).toEqual(
            Array.from({ length: from.elementCount }, (_, i) => valueAt(name, i)),
          );
        } else {
          expect(bytes).toEqual(await readTensorBytes(new Blob([base]), header, name));
        }
      }
    },
  );

  it('is the same, byte for byte, when it is written again', async () => {
    const [first, second] = [memoryFolder(), memoryFolder()];
    await writeMerged(first, spec(dtype, 40));
    await writeMerged(second, spec(dtype, 40));
    expect([...second.files]).toEqual([...first.files]);
  });
});

describe('writing a merged model', () => {
  it('copies golden files whole where nothing is merged', async () => {
    const golden = readFileSync(
      new URL('../tensor/golden/clip-shaped.safetensors', import.meta.url),
    );
    const file = new Blob([golden]);
    const from = await readSafetensorsHeader(file, 'golden');
    const folder = memoryFolder();
    const { shards } = await writeMerged(folder, {
      baseTensors: from.tensors,
      recipeJson: '{}',
      readMerged: () => Promise.reject(new Error('nothing is merged')),
      read: (name, start, end) => readTensorBytes(file, from, name, { start, end }),
    });
    const written = folder.files.get('merged.safetensors')!;
    const dataBytes = golden.length - from.dataStart;
    expect(Buffer.from(written.subarray(-dataBytes))).toEqual(golden.subarray(from.dataStart));
    await verifyFile(await folder.open('merged.safetensors'), shards[0]!);
  });

  it('closes its file and tells the reason when a read fails, or bytes are missing', async () => {
    const folder = memoryFolder();
    const failing = { ...spec('F32'), read: () => Promise.reject(new Error('the disk is gone')) };
    await expect(writeMerged(folder, failing)).rejects.toThrow('the disk is gone');
    expect(folder.openPaths.size).toBe(0);
    const short = { ...spec('F32'), read: () => Promise.resolve(new Uint8Array(3)) };
    await expect(writeMerged(memoryFolder(), short)).rejects.toThrow(/"position_ids".* 3 came/);
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const folder = memoryFolder();
    const onBytes = (): void => {
      stop.abort(new Error('enough'));
    };
    await expect(
      writeMerged(folder, spec('F32'), { signal: stop.signal, onBytes }),
    ).rejects.toThrow('enough');
    expect(folder.openPaths.size).toBe(0);
  });
});

describe('mergedSha', () => {
  it('is the hash of the file, or of the hashes of its shards', async () => {
    const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
    expect(await mergedSha([a])).toBe(a);
    const { createHash } = await import('node:crypto');
    const joined = createHash('sha256').update(`${a}\n${b}`).digest('hex');
    expect(await mergedSha([a, b])).toBe(joined);
    expect(await mergedSha([b, a])).not.toBe(joined);
  });
});
