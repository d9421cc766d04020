/** What a sparse file keeps of one tensor, for tests, by the code that reopening adds it with. */
import { type ByteSource } from '@/tensor/byte-source';
import { readRange } from '@/tensor/safetensors';
import { decodeGaps } from '@/codecs/decode-gaps.fixture';
import { GapReader } from '@/codecs/gap-reader';
import { type SparseFile } from './sparse-file';
import { addKept } from './virtual-add';

/** Positions of the kept entries of `name`, ascending, and what each adds. */
export async function keptOf(
  blob: ByteSource,
  file: SparseFile,
  name: string,
  elementCount: number,
) {
  const { fileName, tensors } = file;
  const { parts, read } = tensors.get(name)!;
  const kept = read(
    await Promise.all(
      parts.map(({ byteStart, byteLength }) =>
        readRange(blob, byteStart, byteStart + byteLength, fileName),
      ),
    ),
  );
  const sums = new Float32Array(elementCount);
  const rest = { element: 0, kept, reader: new GapReader(elementCount) };
  addKept(sums, 0, rest, { fileName, name, elementCount });
  const positions = decodeGaps(kept.gaps, elementCount);
  return { positions, values: Float32Array.from(positions, (position) => sums[position]!) };
}
