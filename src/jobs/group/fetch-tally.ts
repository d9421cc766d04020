import { type ByteTally, sumTallies } from '@/core/byte-tally';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { tallyOf } from '@/tensor/remote-bytes';

/** Bytes of tensors a job needs, by where they are now. Nothing is fetched to find out. */
export async function fetchTally(tensors: readonly StoredTensor[]): Promise<ByteTally> {
  const tallies = tensors.map(({ source, byteStart, byteLength }) =>
    tallyOf(source, byteStart, byteStart + byteLength),
  );
  return sumTallies(await Promise.all(tallies));
}
