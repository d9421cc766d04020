/** One group of checkpoints on threads: asks each for its part, and puts the answers together. */
import { invariantError } from '@/core/errors';
import { GapReader } from '@/codecs/gap-reader';
import { type MemoryCount } from '@/core/memory-count';
import { Turns } from '@/core/turns';
import { type FloatDtype, type ValueDtype } from '@/tensor/dtype';
import {
  type Center,
  type EncodedTensor,
  type GroupSpec,
  type KeptMeasure,
  type MagnitudeHistogram,
  type ModelWeights,
  type Scope,
  type Selection,
  type WeightGroup,
  type WeightsOf,
} from '@/tensor/engine';
import { type FlatLayout } from '@/tensor/layout';
import { type MergePlan, plannedTasks } from '@/tensor/merge-plan';
import { assertOneTaskVector } from '@/tensor/one-task-vector';
import { type Crew } from './crew/crew';
import { histogramOf } from './operations/count-keys';
import { encodeSelection, measureKept } from './operations/kept-entries';
import { layWeights, readMergedBytes } from './operations/lay-weights';
import { selectTop } from './operations/select-top';
import { partBlocks, type Share } from './parts/blocks';
import { ChunkPages } from './weights/chunk-pages';
import { countBytes } from './weights/memory-plan';
import { type GroupContext, type SelectionFacts } from './weights/group-context';

interface Issued {
  readonly facts: SelectionFacts;
  /** State of its center and task when it was made; later changes make it stale. */
  readonly generation: number;
}

export interface GroupOptions {
  /** Threads' parts begin at multiples of so many elements of a chunk. */
  readonly cutAt: number;
  /** `JOINT_FROM` (`search.ts`). */
  readonly jointFrom: number;
  readonly onDispose: () => void;
}

export class ProcessorGroup implements WeightGroup {
  readonly layout: FlatLayout;
  readonly #context: GroupContext;
  readonly #issued = new WeakMap<Selection, Issued>();
  readonly #turns = new Turns();
  readonly #onDispose: () => void;
  #uploadCount = 0;
  #mergeCount = 0;
  #mergedDtype: FloatDtype = 'F32';
  #disposed = false;

  /** @param id a number that no other group of the crew has */
  constructor(
    id: number,
    spec: GroupSpec,
    crew: Crew,
    memory: MemoryCount,
    { cutAt, jointFrom, onDispose }: GroupOptions,
  ) {
    this.layout = spec.layout;
    this.#onDispose = onDispose;
    const shares: Share[] = Array.from({ length: crew.size }, (_, part) => ({
      ...{ part, parts: crew.size, cutAt },
    }));
    const room = countBytes(spec, { threadCount: crew.size, jointFrom });
    const pages = new ChunkPages(id, spec, crew, shares, room, memory);
    const blocks = shares.map((share) => partBlocks(spec.layout, spec.chunks, share));
    const histograms = new Map<string, Uint32Array<ArrayBuffer>>();
    this.#context = { id, spec, crew, shares, blocks, pages, jointFrom, memory, histograms };
  }

  upload(checkpoint: number, chunkIndex: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#assertUsable();
    this.#context.pages.put(checkpoint, chunkIndex, bytes);
    this.#uploadCount++;
    this.#context.histograms.clear();
  }

  /** One pass over the checkpoint. */
  countNonFinite(checkpoint: number): Promise<Uint32Array> {
    return this.#attempt(async ({ crew, id, pages }) => {
      const counts = new Uint32Array(this.layout.tensors.length);
      for await (const chunks of pages.walk([checkpoint])) {
        const parts = await crew.ask((thread) => thread.countNonFinite(id, chunks, checkpoint));
        for (const part of parts) part.forEach((count, tensor) => (counts[tensor]! += count));
      }
      return counts;
    });
  }

  /** One pass over base and all tasks. */
  merge(plan: MergePlan, dtype: FloatDtype): Promise<void> {
    return this.#attempt(async ({ crew, id, pages, spec, histograms }) => {
      const { taskCount } = spec;
      if (plannedTasks(plan) !== taskCount) {
        throw invariantError(
          `A merge of ${plannedTasks(plan)} tasks was asked of ${taskCount} tasks.`,
        );
      }
      this.#mergeCount++;
      this.#mergedDtype = dtype;
      for (const key of histograms.keys()) if (key.startsWith('merged')) histograms.delete(key);
      const all = Array.from({ length: taskCount + 1 }, (_, c) => c);
      await pages.remake(dtype, async () => {
        for await (const chunks of pages.walk(all)) {
          await crew.ask((thread) => thread.merge(id, chunks, plan, dtype));
        }
      });
    });
  }

  /** One pass; none where it, or a selection, was made before. */
  histogram(center: Center, task: number): Promise<MagnitudeHistogram> {
    return this.#attempt(async (context) => ({
      counts: (await histogramOf(context, { center, task })).slice(),
    }));
  }

  select(
    center: Center,
    task: number,
    scope: Scope,
    percents: readonly number[],
  ): Promise<Selection[]> {
    return this.#attempt(async (context) => {
      const of = { center, task };
      const generation = this.#generationOf(center);
      const searches = await selectTop(context, of, scope, percents);
      return searches.map((search) => {
        const { keptPerScope } = search;
        const dispose = (): void => undefined;
        const selection: Selection = { center, task, scope, keptPerScope, dispose };
        const facts = { of, scope, thresholds: search.thresholds() };
        this.#issued.set(selection, { facts, generation });
        return selection;
      });
    });
  }

  /** One pass. */
  measure(selections: readonly Selection[]): Promise<KeptMeasure[]> {
    return this.#attempt((context) => {
      assertOneTaskVector(selections);
      return measureKept(
        context,
        selections.map((selection) => this.#own(selection)),
      );
    });
  }

  /** One pass. */
  keptMask(selection: Selection): Promise<Uint32Array> {
    return this.#attempt(async (context) => {
      const mask = new Uint32Array(Math.ceil(this.layout.elementCount / 32));
      for await (const { tensor, kept, gaps } of encodeSelection(context, this.#own(selection), {
        valueDtype: 'F16',
      })) {
        const { flatStart, elementCount } = this.layout.tensors[tensor]!;
        const positions = new Uint32Array(kept);
        new GapReader(elementCount).read(gaps, positions);
        for (const position of positions) {
          const flat = flatStart + position;
          mask[Math.floor(flat / 32)]! |= 1 << (flat % 32);
        }
      }
      return mask;
    });
  }

  readMerged(flatStart: number, elementCount: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.#attempt((context) =>
      readMergedBytes(context, flatStart, elementCount, this.#mergedDtype),
    );
  }

  /** One pass; I8 values take one more before it, for their steps. */
  async *encodeKept(
    selection: Selection,
    valueDtype: ValueDtype,
    rescaled = false,
  ): AsyncGenerator<EncodedTensor> {
    const turn = this.#turns.begin();
    try {
      await turn.begun;
      this.#assertUsable();
      const facts = this.#own(selection);
      for await (const tensor of encodeSelection(this.#context, facts, { valueDtype, rescaled })) {
        yield tensor;
        this.#own(selection); // stale after a merge in between
      }
    } finally {
      turn.end();
    }
  }

  materialize(weights: WeightsOf, location: 'cpu' | 'gpu'): Promise<ModelWeights> {
    return this.#attempt((context) => {
      if (location === 'gpu')
        throw invariantError('Weights on a GPU were asked of the engine without one.');
      const laid =
        weights.kind === 'sparse'
          ? { ...weights, selection: this.#own(weights.selection) }
          : weights;
      return layWeights(context, laid);
    });
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#context.pages.dispose();
    this.#context.histograms.clear();
    this.#onDispose();
  }

  /** One operation at a time: each makes room for what it reads. */
  #attempt<T>(operation: (context: GroupContext) => Promise<T>): Promise<T> {
    return this.#turns.take(() => {
      this.#assertUsable();
      return operation(this.#context);
    });
  }

  #generationOf(center: Center): number {
    return center === 'base' ? this.#uploadCount : this.#uploadCount + this.#mergeCount;
  }

  #own(selection: Selection): SelectionFacts {
    const issued = this.#issued.get(selection);
    if (!issued) throw invariantError('A selection of another group was used.');
    if (issued.generation !== this.#generationOf(selection.center)) {
      throw invariantError('A selection was used after the weights it was made from had changed.');
    }
    return issued.facts;
  }

  #assertUsable(): void {
    if (this.#disposed)
      throw invariantError('A group of checkpoints was used after it was disposed of.');
  }
}
