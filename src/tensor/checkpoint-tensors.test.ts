import { describe, expect, it } from 'vitest';
import { checkpointTensors, readFlatRange } from './checkpoint-tensors';
import { flatLayout } from './layout';
import { readSafetensorsHeader } from './safetensors';
import { f32, filled, type FixtureTensor, soundFile } from './safetensors.fixture';

async function stored(name: string, tensors: Readonly<Record<string, FixtureTensor>>) {
  const blob = new Blob([soundFile(tensors)]);
  return { blob, header: await readSafetensorsHeader(blob, name) };
}

describe('checkpointTensors', () => {
  it('joins shards and counts their bytes', async () => {
    const one = await stored('one', { a: f32([2], [1, 2]) });
    const two = await stored('two', { b: f32([1], [3]) });
    const joined = checkpointTensors('model', [one, two]);
    expect([...joined.tensors.keys()]).toEqual(['a', 'b']);
    expect(joined.tensors.get('b')!.fileName).toBe('two');
    expect(joined.byteLength).toBe(one.blob.size + two.blob.size);
  });

  it('refuses a tensor that stands in two shards', async () => {
    const one = await stored('one', { a: f32([1], [1]) });
    const two = await stored('two', { a: f32([1], [1]) });
    expect(() => checkpointTensors('model', [one, two])).toThrow(/"a".*one and two/);
  });
});

describe('readFlatRange', () => {
  // The U8 tensor throws the others off alignment; `c` lies first in the file, last in the space.
  const tensors = {
    pad: filled('U8', [3], 3),
    c: f32([2, 2], [4, 5, 6, 7]),
    empty: f32([0], []),
    a: f32([1], [0]),
    b: f32([3], [1, 2, 3]),
    half: filled('F16', [2], 4),
  };
  const layout = flatLayout(
    (['a', 'b', 'c', 'empty'] as const).map((name) => ({ name, shape: tensors[name].shape })),
  );

  it('reads every range of the flat space, across tensors and shards', async () => {
    const { a, b, ...rest } = tensors;
    const checkpoint = checkpointTensors('model', [
      await stored('one', rest),
      await stored('two', { a, b }),
    ]);
    for (let start = 0; start <= 8; start++) {
      for (let end = start; end <= 8; end++) {
        const bytes = await readFlatRange(checkpoint, layout, start, end - start);
        const expected = Array.from({ length: end - start }, (_, i) => start + i);
        expect([...new Float32Array(bytes.buffer)]).toEqual(expected);
      }
    }
  });

  it('refuses to mix dtypes, to read what is missing, and to leave the space', async () => {
    const checkpoint = checkpointTensors('model', [await stored('one', tensors)]);
    const flat = (names: readonly string[]) =>
      flatLayout(names.map((name) => ({ name, shape: [2] })));
    const mixed = flatLayout([
      { name: 'b', shape: [3] },
      { name: 'half', shape: [2] },
    ]);
    await expect(readFlatRange(checkpoint, mixed, 2, 2)).rejects.toThrow(/mixes dtypes/);
    await expect(readFlatRange(checkpoint, flat(['gone']), 0, 2)).rejects.toThrow(/"gone"/);
    await expect(readFlatRange(checkpoint, flat(['pad']), 0, 2)).rejects.toThrow(/"pad"/);
    await expect(readFlatRange(checkpoint, layout, 6, 4)).rejects.toThrow(/leaves the flat space/);
  });
});
