import { type ByteTally } from '@/plan/preflight';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { RemoteBlob } from '@/tensor/remote-blob';

/** Bytes of tensors a job needs, by where they are now. Nothing is fetched to find out. */
export async function fetchTally(tensors: readonly StoredTensor[]): Promise<ByteTally> {
  let neededBytes = 0;
  let remoteBytes = 0;
  const kept: Promise<number>[] = [];
  for (const { blob, byteStart, byteLength } of tensors) {
    neededBytes += byteLength;
    if (!(blob instanceof RemoteBlob)) continue;
    remoteBytes += byteLength;
    kept.push(blob.keptBytes(byteStart, byteStart + byteLength));
  }
  const keptBytes = (await Promise.all(kept)).reduce((sum, bytes) => sum + bytes, 0);
  return { neededBytes, keptBytes, toFetchBytes: remoteBytes - keptBytes };
}
