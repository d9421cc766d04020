/** theta* to a safetensors file of this disk, as mergekit leaves one. */
import { open } from 'node:fs/promises';
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type WeightGroup } from '@/tensor/engine';

const PIECE_ELEMENTS = 4 * 2 ** 20;

export async function writeMergedFile(
  path: string,
  weights: WeightGroup,
  dtype: FloatDtype,
): Promise<void> {
  const each = bytesPerElement(dtype);
  const { tensors } = weights.layout;
  const entries = tensors.map(({ name, shape, flatStart, elementCount }) => {
    const data_offsets = [each * flatStart, each * (flatStart + elementCount)];
    return [name, { dtype, shape, data_offsets }] as const;
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = await open(path, 'w');
  try {
    await file.writev([length, header]);
    for (const { flatStart, elementCount } of tensors) {
      for (let at = 0; at < elementCount; at += PIECE_ELEMENTS) {
        const count = Math.min(PIECE_ELEMENTS, elementCount - at);
        await file.write(await weights.readMerged(flatStart + at, count));
      }
    }
  } finally {
    await file.close();
  }
}
