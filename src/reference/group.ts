/** One group of checkpoints in typed arrays: walks pieces and calls the twins. */
import { type KeptScales, type ValueCodec } from '@/codecs/value-codec';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { bytesPerElement, type FloatDtype, type ValueDtype } from '@/tensor/dtype';
import {
  type Center,
  type EncodedTensor,
  type KeptMeasure,
  type GroupSpec,
  type MagnitudeHistogram,
  type ModelWeights,
  type Scope,
  type Selection,
  type WeightGroup,
  type WeightsOf,
} from '@/tensor/engine';
import { invariantError } from '@/core/errors';
import { encodeFloats } from '@/tensor/half';
import { keptCount } from '@/tensor/kept-count';
import { type FlatLayout } from '@/tensor/layout';
import { type MergePlan, plannedTasks } from '@/tensor/merge-plan';
import { assertOneTaskVector } from '@/tensor/one-task-vector';
import { chunkPieces, type Piece } from '@/tensor/pieces';
import { applyKept } from './apply';
import { ChunkStore } from './chunk-store';
import { encodePieces } from './encode';
import { keptScales } from './kept-scales';
import { countDigits, DIGITS, magnitudeKeys, taskVector } from './histogram';
import { markKept } from './mask';
import { type MemoryCount } from '@/core/memory-count';
import { mergeValues } from './merge';
import { countNonFiniteValues } from './nonfinite';
import { ScopeSearch } from './select';
import { type ReferenceSelection, selectedPiece } from './selection';
import { KeptMeasuring } from './measure';
import { Turns } from '@/core/turns';

type PlainWeights = Exclude<WeightsOf, { kind: 'sparse' | 'added' }>;

/** Whose task vector is looked at. */
interface DeltaOf {
  readonly center: Center;
  readonly task: number;
}

/** A piece with its center, task vector and keys. */
interface DeltaPiece extends Piece {
  readonly center: Float32Array;
  readonly u: Float32Array<ArrayBuffer>;
  readonly keys: Uint32Array;
}

export class ReferenceGroup implements WeightGroup {
  readonly layout: FlatLayout;
  private readonly store: ChunkStore;
  private readonly pieces: readonly Piece[][];
  private readonly issued = new WeakSet<Selection>();
  private uploadCount = 0;
  private mergeCount = 0;
  private mergedDtype: FloatDtype = 'F32';
  private readonly turns = new Turns();

  constructor(
    private readonly spec: GroupSpec,
    memory: MemoryCount,
    private readonly onDispose: () => void,
  ) {
    this.layout = spec.layout;
    this.store = new ChunkStore(spec, memory);
    this.pieces = chunkPieces(spec.layout, spec.chunks);
  }

  upload(checkpoint: number, chunkIndex: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.store.put(checkpoint, chunkIndex, bytes);
    this.uploadCount++;
  }

  /** One pass over the checkpoint. */
  countNonFinite(checkpoint: number): Promise<Uint32Array> {
    return this.turn(() => {
      const counts = new Uint32Array(this.layout.tensors.length);
      for (const [c, pieces] of this.pieces.entries()) {
        const values = this.store.values(checkpoint, c);
        for (const piece of pieces) {
          counts[piece.tensor]! += countNonFiniteValues(cut(values, piece));
        }
      }
      return counts;
    });
  }

  /** One pass over base and all tasks. */
  merge(plan: MergePlan, dtype: FloatDtype): Promise<void> {
    return this.turn(() => {
      const { taskCount } = this.spec;
      if (plannedTasks(plan) !== taskCount) {
        throw invariantError(
          `A merge of ${plannedTasks(plan)} tasks was asked of ${taskCount} tasks.`,
        );
      }
      this.mergeCount++;
      this.mergedDtype = dtype;
      const all = Array.from({ length: taskCount + 1 }, (_, checkpoint) => checkpoint);
      this.store.setMerged(
        this.spec.chunks.map(({ index }) => {
          const [base, ...tasks] = all.map((checkpoint) => this.store.values(checkpoint, index));
          return mergeValues(base!, tasks, plan, dtype);
        }),
      );
    });
  }

  /** One pass. */
  histogram(center: Center, task: number): Promise<MagnitudeHistogram> {
    return this.turn(() => {
      const counts = new Uint32Array(DIGITS[0].bins);
      for (const { keys } of this.deltas({ center, task })) {
        countDigits(counts, keys, DIGITS[0], 0);
      }
      return { counts };
    });
  }

  /** A pass a digit; where ties are cut one more, up to the last kept tie. */
  select(
    center: Center,
    task: number,
    scope: Scope,
    percents: readonly number[],
  ): Promise<Selection[]> {
    return this.turn(() => {
      const scopes = scope === 'global' ? [this.layout] : this.layout.tensors;
      const kept = percents.map((percent) =>
        scopes.map(({ elementCount }) => keptCount(percent, elementCount)),
      );
      const found = this.search({ center, task, scope }, kept);
      const generation = this.generationOf(center);
      return found.map((searches, i) => {
        const thresholds = searches.map((search) => search.threshold());
        const facts = { center, task, scope, keptPerScope: kept[i]!, thresholds, generation };
        const selection: ReferenceSelection = { ...facts, dispose: () => undefined };
        this.issued.add(selection);
        return selection;
      });
    });
  }

  /** One pass. */
  measure(selections: readonly Selection[]): Promise<KeptMeasure[]> {
    return this.turn(() => {
      assertOneTaskVector(selections);
      const own = selections.map((selection) => this.own(selection));
      const measures = own.map(() => new KeptMeasuring());
      if (own.length === 0) return [];
      for (const piece of this.deltas(own[0]!)) {
        own.forEach((selection, i) => {
          measures[i]!.add(selectedPiece(selection, piece));
        });
      }
      return measures;
    });
  }

  /** One pass. */
  keptMask(selection: Selection): Promise<Uint32Array> {
    return this.turn(() => {
      const mask = new Uint32Array(Math.ceil(this.layout.elementCount / 32));
      for (const { piece, threshold, first } of this.selected(selection)) {
        markKept(mask, piece.flatStart, piece.keys, threshold, first);
      }
      return mask;
    });
  }

  /** theta* lies in float32 here, with values of its dtype: encoding them rounds nothing. */
  readMerged(flatStart: number, elementCount: number): Promise<Uint8Array<ArrayBuffer>> {
    return this.turn(() => {
      const flatEnd = flatStart + elementCount;
      const isInside = this.layout.tensors.some(
        (span) => flatStart >= span.flatStart && flatEnd <= span.flatStart + span.elementCount,
      );
      if (!isInside || !(elementCount >= 0)) {
        throw invariantError(`Elements ${flatStart} to ${flatEnd} do not lie inside one tensor.`);
      }
      const each = bytesPerElement(this.mergedDtype);
      const bytes = new Uint8Array(each * elementCount);
      for (const chunk of this.spec.chunks) {
        const values = this.store.mergedValues(chunk.index);
        const from = Math.max(flatStart, chunk.flatStart);
        const to = Math.min(flatEnd, chunk.flatStart + chunk.elementCount);
        if (from >= to) continue;
        const part = values.slice(from - chunk.flatStart, to - chunk.flatStart);
        bytes.set(encodeFloats(part, this.mergedDtype), each * (from - flatStart));
      }
      return bytes;
    });
  }

  /** One pass; values with steps take one more before it. */
  async *encodeKept(
    selection: Selection,
    valueDtype: ValueDtype,
    isRescaled = false,
  ): AsyncGenerator<EncodedTensor> {
    const turn = this.turns.begin();
    try {
      await turn.begun;
      const codec = VALUE_CODECS[valueDtype];
      const scales = this.scales(selection, codec, isRescaled);
      for (const tensor of encodePieces(this.selected(selection), codec, scales)) {
        yield tensor;
        this.own(selection); // stale after a merge in between
      }
    } finally {
      turn.end();
    }
  }

  /** One pass over what the weights are made of; values with steps take one more. */
  materialize(weights: WeightsOf, location: 'cpu' | 'gpu'): Promise<ModelWeights> {
    return this.turn(() => {
      if (location === 'gpu')
        throw invariantError('Weights on a GPU were asked of the engine without one.');
      const flat = this.layout.tensors.map((tensor) => new Float32Array(tensor.elementCount));
      if (weights.kind === 'sparse') {
        const { selection, valueDtype, rescaled: isRescaled = false } = weights;
        const codec = VALUE_CODECS[valueDtype];
        const { scales } = this.scales(selection, codec, isRescaled);
        this.layKept(flat, selection, codec, scales);
      } else if (weights.kind === 'added') {
        this.layPlain(flat, { kind: weights.center });
        for (const { tensor, positions, values } of weights.entries) {
          positions.forEach((at, i) => (flat[tensor]![at] = flat[tensor]![at]! + values[i]!));
        }
      } else {
        this.layPlain(flat, weights);
      }
      const tensors = new Map(
        this.layout.tensors.map(({ name, shape }, i) => [name, { shape, data: flat[i]! }]),
      );
      return { tensors, dispose: () => undefined };
    });
  }

  dispose(): void {
    this.store.dispose();
    this.onDispose();
  }

  /** One operation at a time, as of other engines. */
  private turn<T>(operation: () => T): Promise<T> {
    return this.turns.take(() => Promise.resolve(operation()));
  }

  private layPlain(flat: readonly Float32Array[], weights: PlainWeights): void {
    const checkpoint = weights.kind === 'task' ? weights.task + 1 : 0;
    for (const [c, pieces] of this.pieces.entries()) {
      const values =
        weights.kind === 'merged' ? this.store.mergedValues(c) : this.store.values(checkpoint, c);
      for (const piece of pieces) {
        flat[piece.tensor]!.set(cut(values, piece), piece.tensorStart);
      }
    }
  }

  private layKept(
    flat: readonly Float32Array[],
    selection: Selection,
    codec: ValueCodec,
    scales: KeptScales['scales'],
  ): void {
    for (const { piece, threshold, first } of this.selected(selection)) {
      const { tensorStart: from, elementCount } = piece;
      const out = flat[piece.tensor]!.subarray(from, from + elementCount);
      out.set(piece.center);
      const scale = scales?.[piece.tensor] ?? null;
      applyKept(out, piece.u, piece.keys, threshold, first, (u) => codec.loaded(u, scale));
    }
  }

  private scales(selection: Selection, codec: ValueCodec, isRescaled: boolean): KeptScales {
    const { tensors } = this.layout;
    return keptScales(this.selected(selection), tensors.length, codec, isRescaled);
  }

  /** @param kept of each selection the entries to keep, by scope; all are looked for together */
  private search(
    { scope, ...of }: DeltaOf & { readonly scope: Scope },
    kept: readonly (readonly number[])[],
  ): ScopeSearch[][] {
    const found = kept.map((keptPerScope) => keptPerScope.map((k) => new ScopeSearch(k)));
    const all = found.flat();
    const searchesOf = (tensor: number): ScopeSearch[] =>
      found.map((searches) => searches[scope === 'global' ? 0 : tensor]!);
    for (const digit of DIGITS) {
      for (const search of all) search.start(digit);
      for (const { tensor, keys } of this.deltas(of)) {
        for (const search of searchesOf(tensor)) search.count(keys, digit);
      }
      for (const search of all) search.finish(digit);
    }
    for (const piece of this.deltas(of)) {
      const first = scope === 'global' ? piece.flatStart : piece.tensorStart;
      for (const search of searchesOf(piece.tensor)) search.cut(piece.keys, first);
    }
    return found;
  }

  private *deltas({ center, task }: DeltaOf): Generator<DeltaPiece> {
    for (const [c, pieces] of this.pieces.entries()) {
      const centers = center === 'base' ? this.store.values(0, c) : this.store.mergedValues(c);
      const tasks = this.store.values(task + 1, c);
      for (const piece of pieces) {
        const part = cut(centers, piece);
        const u = taskVector(cut(tasks, piece), part);
        yield { ...piece, center: part, u, keys: magnitudeKeys(u) };
      }
    }
  }

  private *selected(selection: Selection) {
    const own = this.own(selection);
    for (const piece of this.deltas(own)) yield selectedPiece(own, piece);
  }

  private generationOf(center: Center): number {
    return center === 'base' ? this.uploadCount : this.uploadCount + this.mergeCount;
  }

  private own(selection: Selection): ReferenceSelection {
    if (!this.issued.has(selection)) throw invariantError('A selection of another group was used.');
    const own = selection as ReferenceSelection;
    if (own.generation !== this.generationOf(own.center)) {
      throw invariantError('A selection was used after the weights it was made from had changed.');
    }
    return own;
  }
}

function cut(values: Float32Array, piece: Piece): Float32Array {
  return values.subarray(piece.chunkStart, piece.chunkStart + piece.elementCount);
}
