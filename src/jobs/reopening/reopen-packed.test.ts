/** Exports with packed values, version 2, opened again; and what is refused of them. */
import { usePageFiles } from '@/jobs/context/page-files.fixture';
import { beforeAll, describe, expect, it } from 'vitest';
import { isPackedHeader } from '@/formats/sparse/sparse-file';
import { readSafetensorsHeader, type SafetensorsHeader } from '@/tensor/safetensors';
import {
  dropped,
  type Exported,
  exportOf,
  FULL_REQUEST,
  loadFull as load,
  RECIPE,
  roundTrip,
} from './reopen.fixture';

usePageFiles();

const SPARSE = 'pets.sparse.safetensors';
const PACKED = { ...RECIPE, valueDtype: 'Q2' } as const;

type Bytes = Uint8Array<ArrayBuffer>;

describe('an export of packed values', () => {
  let files: Exported;
  let header: SafetensorsHeader;

  beforeAll(async () => {
    files = await exportOf(FULL_REQUEST, PACKED);
    header = await readSafetensorsHeader(new Blob([files.get(SPARSE)!]), SPARSE);
  });

  const opened = (spoiled: Bytes) =>
    load({ kind: 'files', files: dropped(new Map([...files, [SPARSE, spoiled]])) });
  const changed = (name: string, change: (bytes: Bytes) => void): Bytes => {
    const bytes = files.get(SPARSE)!.slice();
    const { byteStart, byteLength } = header.tensors.get(name)!;
    change(bytes.subarray(byteStart, byteStart + byteLength));
    return bytes;
  };
  const replaced = (from: string, to: string): Bytes => {
    const bytes = files.get(SPARSE)!.slice();
    bytes.set(new TextEncoder().encode(to), Buffer.from(bytes).indexOf(from));
    return bytes;
  };

  it('is version 2, and smaller by far than one of version 1', async () => {
    expect(isPackedHeader(header)).toBe(true);
    expect(Object.fromEntries(header.metadata)).toMatchObject({ version: '2', values: 'Q2' });
    const plain = await exportOf(FULL_REQUEST, RECIPE);
    expect(2 * files.get(SPARSE)!.length).toBeLessThan(plain.get(SPARSE)!.length);
  });

  it.each([
    [0, 'norm'],
    [100, 'norm'],
    [30, 'none'],
  ] as const)('gives the scored models at m = %i %%, norm: %s', async (keptPercent, rescale) => {
    for (const scope of ['global', 'tensor'] as const) {
      const { differing, compared } = await roundTrip({ ...PACKED, keptPercent, rescale, scope });
      expect([differing, compared]).toEqual([[], 9]);
    }
  });

  it('names the block that was spoiled, whichever bit of it was', async () => {
    const { byteLength } = header.tensors.get('peru.blocks')!;
    for (let at = 0; at < byteLength; at += Math.ceil(byteLength / 40)) {
      const spoiled = changed('peru.blocks', (bytes) => (bytes[at]! ^= 1 << (at % 8)));
      await expect(opened(spoiled)).rejects.toThrow(
        /out\/pets\.sparse\.safetensors is damaged: block 1 of ".+" is not what was written/,
      );
    }
  });

  it.each(['peru.directory', 'peru.codebook'])(
    'refuses %s where any bit was flipped',
    async (name) => {
      const { byteLength } = header.tensors.get(name)!;
      for (let at = 0; at < byteLength; at++) {
        const spoiled = changed(name, (bytes) => (bytes[at]! ^= 1 << (at % 8)));
        await expect(opened(spoiled)).rejects.toThrow(
          /out\/pets\.sparse\.safetensors is damaged: its directory or codebook/,
        );
      }
    },
  );

  it.each([
    [
      'a format that is none',
      () => replaced('"values":"Q2"', '"values":"Q9"'),
      /name no format of packed values/,
    ],
    [
      'a format with another codebook',
      () => replaced('"values":"Q2"', '"values":"Q4"'),
      /its codebook has 2 magnitudes, not those of Q4/,
    ],
    ['no codebook', () => replaced('peru.codebook', 'peru.codebooc'), /no row of F32 called/],
    [
      'another count of entries',
      () => {
        const kept = header.metadata.get('kept')!;
        return replaced(`"kept":"${kept}"`, `"kept":"${String(Number(kept) + 1)}"`);
      },
      /its metadata say \d+ kept entries, but its directory \d+/,
    ],
  ])('refuses a file with %s', async (_, spoil, message) => {
    await expect(opened(spoil())).rejects.toMatchObject({ kind: 'parse' });
    await expect(opened(spoil())).rejects.toThrow(message);
  });
});
