/** One group of checkpoints in typed arrays: walks pieces and calls the twins. */
import { type FloatDtype } from '@/tensor/dtype';
import {
  type Center,
  type GroupSpec,
  type MagnitudeHistogram,
  type ModelWeights,
  type Scope,
  type Selection,
  type SelectionStats,
  type WeightGroup,
  type WeightsOf,
} from '@/tensor/engine';
import { PeruError } from '@/tensor/errors';
import { keptCount } from '@/tensor/kept-count';
import { type FlatLayout } from '@/tensor/layout';
import { chunkPieces, type Piece } from '@/tensor/pieces';
import { applyKept } from './apply';
import { ChunkStore } from './chunk-store';
import { countDigits, DIGITS, magnitudeKeys, taskVector } from './histogram';
import { markKept } from './mask';
import { type MemoryCount } from './memory-count';
import { mergeValues } from './merge';
import { countNonFiniteValues } from './nonfinite';
import { selectScope, type ScopeThreshold } from './select';
import { addStats, runStats } from './stats';

interface ReferenceSelection extends Selection {
  readonly thresholds: readonly ScopeThreshold[];
  /** State of its center and task when it was made; later changes make it stale. */
  readonly generation: number;
}

/** A piece with its task vector and keys. */
interface DeltaPiece extends Piece {
  readonly chunkIndex: number;
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

  countNonFinite(checkpoint: number): Promise<Uint32Array> {
    return settle(() => {
      const counts = new Uint32Array(this.layout.tensors.length);
      this.spec.chunks.forEach((_, c) => {
        const values = this.store.values(checkpoint, c);
        for (const piece of this.pieces[c]!) {
          counts[piece.tensor]! += countNonFiniteValues(cut(values, piece));
        }
      });
      return counts;
    });
  }

  merge(coefficients: readonly number[], dtype: FloatDtype): Promise<void> {
    return settle(() => {
      if (coefficients.length !== this.spec.taskCount) {
        throw misuse(`${coefficients.length} coefficients for ${this.spec.taskCount} tasks.`);
      }
      const merged = this.spec.chunks.map((_, c) => {
        const tasks = coefficients.map((_, t) => this.store.values(t + 1, c));
        return mergeValues(this.store.values(0, c), tasks, coefficients, dtype);
      });
      this.store.setMerged(merged);
      this.mergeCount++;
    });
  }

  histogram(center: Center, task: number): Promise<MagnitudeHistogram> {
    return settle(() => {
      const counts = new Uint32Array(DIGITS[0].bins);
      for (const { keys } of this.deltas(center, task)) countDigits(counts, keys, DIGITS[0], 0);
      return { counts };
    });
  }

  select(center: Center, task: number, scope: Scope, percent: number): Promise<Selection> {
    return settle(() => {
      const sizes =
        scope === 'global'
          ? [this.layout.elementCount]
          : this.layout.tensors.map((tensor) => tensor.elementCount);
      const keptPerScope = sizes.map((size) => keptCount(percent, size));
      const parts = this.keysByScope(center, task, scope, sizes.length);
      const thresholds = keptPerScope.map((k, s) => selectScope(() => parts[s]!, k));
      const generation = this.generationOf(center);
      const dispose = (): void => undefined;
      const selection: ReferenceSelection = {
        center,
        task,
        scope,
        keptPerScope,
        thresholds,
        generation,
        dispose,
      };
      this.issued.add(selection);
      return selection;
    });
  }

  stats(selection: Selection): Promise<SelectionStats> {
    return settle(() => {
      let sum: SelectionStats = { kept: 0, nonZero: 0, keptEnergy: 0, totalEnergy: 0 };
      for (const { piece, threshold, first } of this.selected(selection)) {
        sum = addStats(sum, runStats(piece.u, piece.keys, threshold, first));
      }
      return sum;
    });
  }

  keptMask(selection: Selection): Promise<Uint32Array> {
    return settle(() => {
      const mask = new Uint32Array(Math.ceil(this.layout.elementCount / 32));
      for (const { piece, threshold, first } of this.selected(selection)) {
        markKept(mask, piece.flatStart, piece.keys, threshold, first);
      }
      return mask;
    });
  }

  materialize(weights: WeightsOf, location: 'cpu' | 'gpu'): Promise<ModelWeights> {
    return settle(() => {
      if (location === 'gpu')
        throw misuse('Weights on a GPU were asked of the engine without one.');
      const flat = this.layout.tensors.map((tensor) => new Float32Array(tensor.elementCount));
      this.spec.chunks.forEach((_, c) => {
        const values = this.plainValues(weights, c);
        for (const piece of this.pieces[c]!) {
          flat[piece.tensor]!.set(cut(values, piece), piece.tensorStart);
        }
      });
      if (weights.kind === 'sparse') this.addKept(flat, weights.selection, weights.valueDtype);
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

  private addKept(flat: Float32Array[], selection: Selection, valueDtype: FloatDtype): void {
    for (const { piece, threshold, first } of this.selected(selection)) {
      const { tensorStart: from, elementCount } = piece;
      const out = flat[piece.tensor]!.subarray(from, from + elementCount);
      applyKept(out, piece.u, piece.keys, threshold, first, valueDtype);
    }
  }

  /** The weights before any kept entry is added: for `sparse`, the center. */
  private plainValues(weights: WeightsOf, chunkIndex: number): Float32Array {
    switch (weights.kind) {
      case 'base':
        return this.store.values(0, chunkIndex);
      case 'merged':
        return this.store.mergedValues(chunkIndex);
      case 'task':
        return this.store.values(weights.task + 1, chunkIndex);
      case 'sparse':
        return this.centerValues(weights.selection.center, chunkIndex);
    }
  }

  private centerValues(center: Center, chunkIndex: number): Float32Array {
    return center === 'base'
      ? this.store.values(0, chunkIndex)
      : this.store.mergedValues(chunkIndex);
  }

  private *deltas(center: Center, task: number): Generator<DeltaPiece> {
    for (const { index: chunkIndex } of this.spec.chunks) {
      const centers = this.centerValues(center, chunkIndex);
      const tasks = this.store.values(task + 1, chunkIndex);
      for (const piece of this.pieces[chunkIndex]!) {
        const u = taskVector(cut(tasks, piece), cut(centers, piece));
        yield { ...piece, chunkIndex, u, keys: magnitudeKeys(u) };
      }
    }
  }

  private keysByScope(center: Center, task: number, scope: Scope, scopeCount: number) {
    const parts: Uint32Array[][] = Array.from({ length: scopeCount }, () => []);
    for (const { tensor, keys } of this.deltas(center, task)) {
      parts[scope === 'global' ? 0 : tensor]!.push(keys);
    }
    return parts;
  }

  private *selected(selection: Selection) {
    const { thresholds, scope, center, task } = this.own(selection);
    for (const piece of this.deltas(center, task)) {
      const [scopeIndex, first] =
        scope === 'global' ? [0, piece.flatStart] : [piece.tensor, piece.tensorStart];
      yield { piece, threshold: thresholds[scopeIndex]!, first };
    }
  }

  private generationOf(center: Center): number {
    return center === 'base' ? this.uploadCount : this.uploadCount + this.mergeCount;
  }

  private own(selection: Selection): ReferenceSelection {
    if (!this.issued.has(selection)) throw misuse('A selection of another group was used.');
    const own = selection as ReferenceSelection;
    if (own.generation !== this.generationOf(own.center)) {
      throw misuse('A selection was used after the weights it was made from had changed.');
    }
    return own;
  }
}

function cut(values: Float32Array, piece: Piece): Float32Array {
  return values.subarray(piece.chunkStart, piece.chunkStart + piece.elementCount);
}

/** Runs `work` in a task of its own, so that a thrown error is a rejection. */
async function settle<T>(work: () => T): Promise<T> {
  await Promise.resolve();
  return work();
}

function misuse(message: string): PeruError {
  return new PeruError('internal', message, 'Please report this fault in Peru.');
}
