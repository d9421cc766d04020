/** `model.safetensors.index.json`: which shard holds which tensor (transformers, huggingface_hub). */
import { type ByteSource } from '@/tensor/byte-source';
import { PeruError } from '@/core/errors';
import { JSON_CAPS, readJsonObject } from './json-file';

const SHARD_NAME = /^[\w.-]+\.safetensors$/;

/**
 * Which shard holds each tensor. Shards lie beside their index.
 *
 * @throws PeruError `parse` when the index is not one, `unsupported` for shards elsewhere
 */
export async function readShardIndex(
  blob: ByteSource,
  name: string,
): Promise<ReadonlyMap<string, string>> {
  const index = await readJsonObject(blob, name, JSON_CAPS.shardIndex);
  const map = index['weight_map'];
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new PeruError(
      'parse',
      `${name} has no weight_map from tensors to files.`,
      'Save the checkpoint again, or download its index again.',
    );
  }
  const shardOf = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(map)) {
    if (typeof shard !== 'string' || !SHARD_NAME.test(shard)) {
      throw new PeruError(
        'unsupported',
        `${name} names the shard ${JSON.stringify(shard)}: Peru reads .safetensors shards that lie beside their index, and nothing else.`,
        'Save the checkpoint again with save_pretrained and safe_serialization=True.',
      );
    }
    shardOf.set(tensor, shard);
  }
  return shardOf;
}
