/**
 * What merging and compressing need from whatever computes: WGSL kernels on the visitor's GPU
 * (`kernels/`), or the processor's threads (`processor/`); float64 twins (`reference/`) are the tests'
 * oracle. Methods are written against this interface alone.
 *
 * Numerics both keep (docs/ARCHITECTURE.md, "Numerics"):
 * - theta* = theta_0 + sum_t c_t (theta_t - theta_0) where a `MergePlan` is linear, rounded once
 *   (nearest even) to its dtype.
 * - u_t = theta_t - center, in f32; keys are the 31 magnitude bits of u_t.
 * - exactly k entries are kept; ties at the threshold enter lowest flat index first.
 * - a kept value is rounded to the value dtype, then added to the center in f32.
 * - as I8 it is round(u * (127 / max)) times the step f32(max / 127), max the largest |u| kept in its
 *   tensor and 127 / max rounded to f32 once: products and rounding to the nearest even integer
 *   are exact on every adapter. A tensor whose step is not a normal f32 has step 0 and values 0.
 * - rescaled, a step is multiplied by its tensor's ‖u‖ / ‖kept u‖ (`codecs/norm-gain.ts`).
 */
import { type FloatDtype, type ValueDtype } from './dtype';
import { type Chunk, type FlatLayout } from './layout';
import { type LowRankGroup, type LowRankProduct } from './low-rank';
import { type MergePlan } from './merge-plan';
import { type WeightData } from './weight-data';

export interface AdapterReport {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** True for a software adapter: correct, never fast. */
  readonly fallback: boolean;
}

export type EngineKind = 'webgpu' | 'processor' | 'reference';

export interface Engine {
  readonly kind: EngineKind;
  readonly adapter: AdapterReport;
  /**
   * Most elements a chunk may have with this many tasks, from the device's limits.
   *
   * @param budgetBytes small enough, too, that streaming takes about an eighth of it at a time
   */
  maxChunkElements(taskCount: number, budgetBytes?: number): number;
  createGroup(spec: GroupSpec): WeightGroup;
  /**
   * Plans a group's memory: resident where it fits the budget, else streamed.
   *
   * @param mergedDtype dtype theta* will have
   * @returns a plan that can be carried out where its `leastBytes` are within the budget
   */
  planMemory(shape: GroupShape, mergedDtype: FloatDtype, budgetBytes: number): MemoryPlan;
  /** Copies the factors to the engine, in their files' dtypes. Products may differ in shape and rank. */
  createLowRankGroup(products: readonly LowRankProduct[]): LowRankGroup;
  /** Bytes of device (or typed array) memory held now, and the most ever held. */
  memory(): { readonly liveBytes: number; readonly peakBytes: number };
  /** Settles when the device is lost for any reason but `dispose`; never rejects. */
  readonly lost: Promise<string>;
  dispose(): void;
}

/** What decides how much memory a group takes. */
export interface GroupShape {
  readonly layout: FlatLayout;
  readonly chunks: readonly Chunk[];
  readonly taskCount: number;
}

export interface GroupSpec extends GroupShape {
  /**
   * Whose abort ends an operation, with the signal's reason, where the engine can stop half-way: the
   * job at hand. The group stays as it was; only theta* that was being made is gone.
   */
  readonly job?: { readonly signal: AbortSignal };
  /** Reads weights when they are needed, instead of holding all of them; absent: `upload` fills the group. */
  readonly streamed?: StreamedSpec;
}

/** Weights too large to be held at once: theta* stays, the rest comes and goes in chunks. */
export interface StreamedSpec {
  /**
   * One checkpoint's bytes of one chunk, as `WeightGroup.upload` takes them. Called again whenever
   * they are needed and gone; a rejection is the operation's.
   */
  readonly read: (
    checkpoint: CheckpointIndex,
    chunkIndex: number,
  ) => Promise<Uint8Array<ArrayBuffer>>;
  /** Bytes of device (or typed array) memory the group may hold, theta* included. */
  readonly budgetBytes: number;
}

/** What a group will hold, known before a byte of it is read. */
export interface MemoryPlan {
  /** `resident`: all weights stay; `streamed`: they are read when needed, more than once. */
  readonly mode: 'resident' | 'streamed';
  /** The most bytes held at once, the evaluator's left out; measured by `Engine.memory`. */
  readonly peakBytes: number;
  /** The least budget that the group can be streamed with. */
  readonly leastBytes: number;
  /** What the peak is made of, for people, largest first. */
  readonly parts: readonly { readonly label: string; readonly bytes: number }[];
}

/** 0 is the base, t + 1 is task t's checkpoint; the order of `Chunk.dtypes`. */
export type CheckpointIndex = number;

/** What a task vector is measured from: theta_0 or theta*. */
export type Center = 'base' | 'merged';

/** `global`: one ranking over the whole flat space; `tensor`: one per tensor. */
export type Scope = 'global' | 'tensor';

/** Counts of |u| by the top 11 of its 31 magnitude bits (8 exponent, 3 mantissa bits). */
export interface MagnitudeHistogram {
  /** 2048 counts; bin b holds magnitudes in [f32(b << 20), f32((b + 1) << 20)). */
  readonly counts: Uint32Array;
}

export interface SelectionStats {
  /** Exactly the entries asked for. */
  readonly kept: number;
  /** Kept entries whose u is not zero. */
  readonly nonZero: number;
  /** Sum of squares of the kept u, and of all u (before rounding to the value dtype). */
  readonly keptEnergy: number;
  readonly totalEnergy: number;
}

/** What a selection keeps. */
export interface KeptMeasure {
  readonly stats: SelectionStats;
  /** Every tensor that keeps any, in canonical order: what `encodeKept` will give, counted only. */
  readonly counts: readonly KeptCount[];
}

/** Thresholds of one exact top-k, held on the engine until disposed. */
export interface Selection {
  readonly center: Center;
  readonly task: number;
  readonly scope: Scope;
  /** Kept entries: one number for `global`, one a tensor for `tensor`. */
  readonly keptPerScope: readonly number[];
  dispose(): void;
}

/** One tensor's kept entries, as `TASK.sparse.safetensors` holds them (`codecs/gaps.ts`). */
export interface EncodedTensor {
  /** Index into `layout.tensors`. */
  readonly tensor: number;
  /** At least one. */
  readonly kept: number;
  /** Distances between kept positions, row-major inside the tensor: `NAME.gaps`. */
  readonly gaps: Uint8Array<ArrayBuffer>;
  /** `kept` values as their codec stores them, little-endian: `NAME.values`. */
  readonly values: Uint8Array<ArrayBuffer>;
  /** Step of the values, an f32: `NAME.scale`; null where their codec has none. */
  readonly scale: number | null;
  /** What restores the tensor's norm (`codecs/norm-gain.ts`), part of `scale` already; 1 where not asked for. */
  readonly gain: number;
}

/** Kept entries of one tensor as they were decoded from a file's bytes. */
export interface AddedEntries {
  /** Index into `layout.tensors`. */
  readonly tensor: number;
  /** In the tensor, strictly ascending. */
  readonly positions: Uint32Array<ArrayBuffer>;
  /** To add, in f32. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** What one tensor's kept entries take beside their values. */
export interface KeptCount {
  /** Index into `layout.tensors`. */
  readonly tensor: number;
  /** At least one. */
  readonly kept: number;
  /** Bytes of `NAME.gaps`. */
  readonly gapBytes: number;
}

export interface ModelWeights {
  readonly tensors: ReadonlyMap<
    string,
    { readonly shape: readonly number[]; readonly data: WeightData }
  >;
  dispose(): void;
}

/** Which weights to lay out for the evaluator. */
export type WeightsOf =
  | { readonly kind: 'base' }
  | { readonly kind: 'merged' }
  | { readonly kind: 'task'; readonly task: number }
  | {
      readonly kind: 'sparse';
      readonly selection: Selection;
      readonly valueDtype: ValueDtype;
      /** Restores the norm of each tensor, where the dtype has steps; not by itself. */
      readonly rescaled?: boolean;
    }
  | {
      readonly kind: 'added';
      readonly center: Center;
      /** Each tensor once, in canonical order. Must not ask the group for anything. */
      readonly entries: Iterable<AddedEntries>;
    };

/**
 * Checkpoints of one layout, and what is computed from them. Uploads and operations on one group
 * must not overlap: callers await each before the next, else one may see what another replaces.
 */
export interface WeightGroup {
  readonly layout: FlatLayout;
  /**
   * Copies one checkpoint's bytes of one chunk to the engine, in the file's dtype.
   * `bytes.byteLength` is elementCount x bytes per element of that dtype. Streamed groups take none.
   */
  upload(checkpoint: CheckpointIndex, chunkIndex: number, bytes: Uint8Array<ArrayBuffer>): void;
  /** NaN and Inf per tensor of the layout, looked for on the raw bits. */
  countNonFinite(checkpoint: CheckpointIndex): Promise<Uint32Array>;
  /**
   * theta* as the plan has it, stored as `dtype`. Invalidates selections around theta*.
   *
   * @throws PeruError `internal` where the plan is for another number of tasks
   */
  merge(plan: MergePlan, dtype: FloatDtype): Promise<void>;
  /** Histogram of |theta_task - center| for the slider: global, summed over chunks. */
  histogram(center: Center, task: number): Promise<MagnitudeHistogram>;
  /**
   * Exact top-k of |theta_task - center| for each of some percentages, found in the same passes; k
   * of a scope with N entries is round(percent / 100 * N), halves up. Memory is planned for
   * `SELECTIONS_AT_ONCE` (`choose-plan.ts`).
   *
   * @returns by percentage, in the order asked for
   */
  select(
    center: Center,
    task: number,
    scope: Scope,
    percents: readonly number[],
  ): Promise<readonly Selection[]>;
  /**
   * What selections of one task vector keep, measured in one pass for all.
   *
   * @returns by selection, in the order given
   * @throws PeruError `internal` where they are of several task vectors
   */
  measure(selections: readonly Selection[]): Promise<readonly KeptMeasure[]>;
  /** One bit an element of the flat space, bit i & 31 of word i >> 5 set where kept. */
  keptMask(selection: Selection): Promise<Uint32Array>;
  /**
   * Elements [flatStart, flatStart + elementCount) of theta*, in the dtype it was merged to,
   * little-endian. The range lies inside one tensor.
   */
  readMerged(flatStart: number, elementCount: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Kept entries as bytes to write: every tensor that keeps any, in canonical order, one at a time.
   * Exactly the values that `materialize` adds for the same selection, dtype and rescaling. Where the
   * dtype has no steps, rescaling leaves them as they are, and tells the gain.
   */
  encodeKept(
    selection: Selection,
    valueDtype: ValueDtype,
    rescaled?: boolean,
  ): AsyncIterable<EncodedTensor>;
  /** Float32 weights of every tensor, in memory (`cpu`) or as one GPU buffer a tensor (`gpu`). */
  materialize(weights: WeightsOf, location: 'cpu' | 'gpu'): Promise<ModelWeights>;
  dispose(): void;
}
