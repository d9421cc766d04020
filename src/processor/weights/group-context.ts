/** What every operation on a group works with. */
import { type MemoryCount } from '@/core/memory-count';
import { invariantError } from '@/core/errors';
import { type Center, type GroupSpec, type Scope } from '@/tensor/engine';
import { type Crew } from '../crew/crew';
import { type Block, type Share } from '../parts/blocks';
import { type DeltaOf, type Thresholds } from '../parts/questions';
import { type ChunkPages } from './chunk-pages';

export interface GroupContext {
  /** The group's number among those that the threads hold. */
  readonly id: number;
  readonly spec: GroupSpec;
  readonly crew: Crew;
  /** What each thread owns, in their order. */
  readonly shares: readonly Share[];
  /** Blocks of each thread's part, by thread and chunk. */
  readonly blocks: readonly (readonly (readonly Block[])[])[];
  readonly pages: ChunkPages;
  /** `JOINT_FROM` (`search.ts`). */
  readonly jointFrom: number;
  readonly memory: MemoryCount;
  /** Counts of all keys by their first digit, by task vector: the slider's, and any selection's. */
  readonly histograms: Map<string, Uint32Array<ArrayBuffer>>;
}

/** A selection's thresholds, and whose task vector it cuts. */
export interface SelectionFacts {
  readonly of: DeltaOf;
  readonly scope: Scope;
  readonly thresholds: Thresholds;
}

export function checkpointsOf({ center, task }: DeltaOf): readonly number[] {
  return center === 'base' ? [0, task + 1] : [task + 1];
}

/** @throws PeruError `internal` where theta* is asked for before any merge */
export function assertCenter({ pages }: GroupContext, center: Center): void {
  if (center === 'merged' && !pages.isMerged) {
    throw invariantError('theta* was asked for before any merge.');
  }
}
