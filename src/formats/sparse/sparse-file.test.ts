import { describe, expect, it } from 'vitest';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { f32, type FixtureTensor, soundFile } from '@/tensor/safetensors.fixture';
import { keptOf } from './sparse-entries.fixture';
import { isSparseHeader, readSparseFile } from './sparse-file';

const FILE = 'task.sparse.safetensors';
const METADATA = {
  format: 'peru-sparse',
  version: '1',
  merged_sha256: 'AB'.repeat(32),
  m: '12.5',
  kept: '3',
  recipe: '{"peru":1}',
};

const bytes = (dtype: 'U8' | 'I8', list: readonly number[]): FixtureTensor => {
  return { dtype, shape: [list.length], bytes: Uint8Array.from(list) };
};

const SOUND: Readonly<Record<string, FixtureTensor>> = {
  'a.values': f32([2], [1.5, -2]),
  'b.values': f32([1], [0.25]),
  'own.weight': f32([2, 2], [1, 2, 3, 4]),
  'own.scale': f32([1], [7]),
  'a.gaps': bytes('U8', [1, 255, 4]),
  'b.gaps': bytes('U8', [2]),
};

async function opened(
  tensors: Readonly<Record<string, FixtureTensor>> = SOUND,
  metadata: Readonly<Record<string, string>> = METADATA,
) {
  const blob = new Blob([soundFile(tensors, metadata)]);
  return { blob, header: await readSafetensorsHeader(blob, FILE) };
}

async function refusal(...args: Parameters<typeof opened>) {
  const { header } = await opened(...args);
  try {
    readSparseFile(header);
  } catch (error) {
    return error as { readonly kind: string; readonly message: string };
  }
  throw new Error('The file was accepted.');
}

describe('a sparse file', () => {
  it('tells its facts, its tensors and those kept whole', async () => {
    const { blob, header } = await opened();
    const file = readSparseFile(header);
    expect(file).toMatchObject({
      fileName: FILE,
      mergedSha256: 'ab'.repeat(32),
      keptPercent: 12.5,
      kept: 3,
      recipe: '{"peru":1}',
      valueFormat: 'F32',
    });
    expect([...file.tensors.keys()]).toEqual(['a', 'b']);
    expect([...file.own.keys()]).toEqual(['own.weight', 'own.scale']);
    const { positions, values } = await keptOf(blob, file, 'a', 260);
    expect([...positions]).toEqual([0, 259]);
    expect([...values]).toEqual([1.5, -2]);
  });

  it('reads I8 values as counts of a step, each product rounded once', async () => {
    const { blob, header } = await opened({
      'a.scale': f32([1], [0.1]),
      'a.values': bytes('I8', [127, 0x81, 0]),
      'a.gaps': bytes('U8', [1, 1, 1]),
    });
    const { values } = await keptOf(blob, readSparseFile(header), 'a', 3);
    const step = Math.fround(0.1);
    expect([...values]).toEqual([Math.fround(127 * step), Math.fround(-127 * step), 0]);
  });

  it('tells by what other names the model has what is kept whole', async () => {
    const { header } = await opened(SOUND, { ...METADATA, tied: '{"head":"own.weight"}' });
    expect([...readSparseFile(header).tied]).toEqual([['head', 'own.weight']]);
    expect(readSparseFile((await opened()).header).tied.size).toBe(0);
  });

  it.each([
    ['{', /no map/],
    ['[]', /no map/],
    ['null', /no map/],
    ['{"head":1}', /no map/],
    ['{"head":"a"}', /ties "head" to "a", which it does not keep whole/],
    ['{"b":"own.weight"}', /ties "b", but holds it, too/],
    ['{"own.scale":"own.weight"}', /ties "own.scale", but holds it, too/],
  ])('with other names %s is refused', async (tied, message) => {
    const error = await refusal(SOUND, { ...METADATA, tied });
    expect(error.kind).toBe('parse');
    expect(error.message).toMatch(message);
  });

  it('may keep nothing', async () => {
    const { header } = await opened({}, { ...METADATA, kept: '0' });
    expect(readSparseFile(header)).toMatchObject({ kept: 0, valueFormat: 'F16' });
  });

  it('is told from other files by its format', async () => {
    const { header } = await opened(SOUND, { format: 'pt' });
    expect(isSparseHeader(header)).toBe(false);
    expect(await refusal(SOUND, { format: 'pt' })).toMatchObject({ kind: 'parse' });
  });

  it('of a newer version is said to be newer', async () => {
    for (const version of ['3', '10']) {
      const error = await refusal(SOUND, { ...METADATA, version });
      expect(error.kind).toBe('unsupported');
      expect(error.message).toContain(`${FILE} is a sparse vector of version ${version}`);
    }
  });

  it.each([
    ['version', ''],
    ['version', '1.5'],
    ['version', '-1'],
    ['merged_sha256', 'ab'],
    ['merged_sha256', 'g'.repeat(64)],
    ['m', ''],
    ['m', '101'],
    ['m', 'NaN'],
    ['m', '0x10'],
    ['kept', '2'],
    ['kept', '3.5'],
    ['kept', '1e99'],
  ])('with %s %j is refused', async (key, value) => {
    const error = await refusal(SOUND, { ...METADATA, [key]: value });
    expect(error.kind).toBe('parse');
    expect(error.message).toMatch(new RegExp(`^${FILE} is damaged: .*${key}`));
  });

  const without = (name: string) =>
    Object.fromEntries(Object.entries(SOUND).filter(([key]) => key !== name));
  it.each<[string, Readonly<Record<string, FixtureTensor>>, RegExp]>([
    ['gaps without values', without('a.values'), /"a.gaps" has no values/],
    ['values without gaps', without('a.gaps'), /"a.values" has no gaps/],
    ['gaps of another dtype', { ...SOUND, 'a.gaps': bytes('I8', [1, 1]) }, /"a.gaps" is not/],
    [
      'values that are not floats',
      { ...SOUND, 'a.values': { dtype: 'I32', shape: [2], bytes: new Uint8Array(8) } },
      /"a.values" holds I32/,
    ],
    ['values in a matrix', { ...SOUND, 'a.values': f32([2, 1], [1, 2]) }, /is not a row/],
    ['more values than gaps', { ...SOUND, 'a.values': f32([4], [1, 2, 3, 4]) }, /only 3 bytes/],
    [
      'I8 without a step',
      { ...SOUND, 'a.values': bytes('I8', [1, 1]) },
      /without an F32 "a.scale"/,
    ],
    [
      'mixed dtypes',
      { ...SOUND, 'a.values': bytes('I8', [1, 1]), 'a.scale': f32([1], [1]) },
      /mix I8 and F32/,
    ],
  ])('with %s is refused', async (_, tensors, message) => {
    const error = await refusal(tensors);
    expect(error.kind).toBe('parse');
    expect(error.message).toMatch(message);
  });
});
