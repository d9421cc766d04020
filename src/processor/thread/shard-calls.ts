/** Calls about a thread's part of groups of checkpoints. */
import { invariantError } from '@/core/errors';
import { transfer } from 'comlink';
import { type FloatDtype } from '@/tensor/dtype';
import { type MergePlan } from '@/tensor/merge-plan';
import {
  type DeltaOf,
  type DigitCount,
  type EncodedRun,
  type PartMeasure,
  type PartScales,
  type StoredAs,
  type Thresholds,
} from '../parts/questions';
import { BlockMath } from '../simd/block-math';
import {
  countDigits,
  countNonFinite,
  countTies,
  findTie,
  type Ties,
  type WantedTie,
} from './count';
import { EncodingRoom, encodeKept, keptScales, measureKept } from './kept';
import { layPlain, laySparse } from './lay';
import { mergePart } from './merge';
import { Shard, type ShardSpec } from './shard';

/** A group, by the number that the engine gave it. */
type Id = number;
type Chunks = readonly number[];

export function shardCalls() {
  const shards = new Map<Id, Shard>();
  const math = new BlockMath();
  const room = new EncodingRoom();
  const shardOf = (id: Id): Shard => {
    const shard = shards.get(id);
    if (!shard) throw invariantError('A group was used that this thread does not hold.');
    return shard;
  };
  return {
    openShard(id: Id, spec: ShardSpec): void {
      shards.set(id, new Shard(spec, math));
    },
    closeShard(id: Id): void {
      shards.delete(id);
    },
    putPage(id: Id, checkpoint: number, chunk: number, buffer: ArrayBuffer): void {
      shardOf(id).put(checkpoint, chunk, buffer);
    },
    dropPage(id: Id, checkpoint: number, chunk: number): void {
      shardOf(id).drop(checkpoint, chunk);
    },
    dropMerged(id: Id): void {
      shardOf(id).dropMerged();
    },
    countNonFinite(id: Id, chunks: Chunks, checkpoint: number): Uint32Array {
      const shard = shardOf(id);
      const counts = new Uint32Array(shard.tensorCount);
      for (const chunk of chunks) countNonFinite(shard, chunk, checkpoint, counts);
      return counts;
    },
    merge(id: Id, chunks: Chunks, plan: MergePlan, dtype: FloatDtype): void {
      for (const chunk of chunks) mergePart(shardOf(id), chunk, plan, dtype);
    },
    /** Bytes of theta*, elements counted from the start of this part of the chunk. */
    readMerged(id: Id, chunk: number, start: number, end: number): Uint8Array<ArrayBuffer> {
      const { values } = shardOf(id).merged(chunk);
      const bytes = new Uint8Array(values.slice(start, end).buffer);
      return transfer(bytes, [bytes.buffer]);
    },
    /** @returns the counts given, added to */
    countDigits(id: Id, chunks: Chunks, of: DeltaOf, counts: readonly DigitCount[]) {
      for (const chunk of chunks) countDigits(shardOf(id), chunk, of, counts);
      const arrays = counts.map((count) => count.counts);
      return transfer(
        arrays,
        arrays.map(({ buffer }) => buffer),
      );
    },
    /** By chunk, then by ties asked for, then by block. */
    countTies(id: Id, chunks: Chunks, of: DeltaOf, all: readonly Ties[]) {
      return chunks.map((chunk) => countTies(shardOf(id), chunk, of, all));
    },
    findTie(id: Id, chunk: number, of: DeltaOf, tie: WantedTie): number {
      return findTie(shardOf(id), chunk, of, tie);
    },
    /** By chunk, then by selection. */
    measureKept(id: Id, chunks: Chunks, of: DeltaOf, all: readonly Thresholds[]): PartMeasure[][] {
      return chunks.map((chunk) => measureKept(shardOf(id), chunk, of, all));
    },
    keptScales(
      id: Id,
      chunks: Chunks,
      of: DeltaOf,
      thresholds: Thresholds,
      withEnergies: boolean,
    ): PartScales {
      const shard = shardOf(id);
      const scales = {
        largest: new Uint32Array(shard.tensorCount),
        keptEnergies: new Float64Array(shard.tensorCount),
        totalEnergies: new Float64Array(shard.tensorCount),
      };
      for (const chunk of chunks) keptScales(shard, chunk, of, thresholds, scales, withEnergies);
      return scales;
    },
    encodeKept(id: Id, chunk: number, of: DeltaOf, thresholds: Thresholds, storedAs: StoredAs) {
      const runs: EncodedRun[] = encodeKept(shardOf(id), room, chunk, of, thresholds, storedAs);
      return transfer(
        runs,
        runs.flatMap(({ gaps, values }) => [gaps.buffer, values.buffer]),
      );
    },
    /** @param checkpoint whose values; null: theta*'s */
    layPlain(id: Id, chunk: number, checkpoint: number | null): Float32Array<ArrayBuffer> {
      const shard = shardOf(id);
      const stored = checkpoint === null ? shard.merged(chunk) : shard.page(checkpoint, chunk);
      const values = layPlain(shard, chunk, stored);
      return transfer(values, [values.buffer]);
    },
    laySparse(id: Id, chunk: number, of: DeltaOf, thresholds: Thresholds, storedAs: StoredAs) {
      const values = laySparse(shardOf(id), chunk, of, thresholds, storedAs);
      return transfer(values, [values.buffer]);
    },
  };
}
