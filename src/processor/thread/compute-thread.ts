/** What a thread can be asked. Plain functions over plain data: they are called across threads. */
import { lowRankCalls } from './low-rank-calls';
import { shardCalls } from './shard-calls';

export type ComputeThread = ReturnType<typeof createComputeThread>;

export function createComputeThread() {
  return { ...shardCalls(), ...lowRankCalls() };
}
