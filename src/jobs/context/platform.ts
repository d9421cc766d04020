/** What jobs need of the machine they run on. `src/platform/` has one for each kind of machine. */
import { type ErrorFacts } from '@/core/errors';
import { type OpenOptions } from '@/formats/checkpoint/checkpoint-source';
import { type LaneThreads } from '@/evaluate/runtime/lanes';
import { type RangeCache } from '@/hub/cache/range-cache';
import { type AdapterReport, type Engine } from '@/tensor/engine';
import { type EnginePreference } from '@/protocol/requests';
import { type ExportStore, type StagedExport } from './export-store';
import { type JobContext } from './job-context';

export interface Platform {
  /** @throws PeruError where no engine can be had */
  chooseEngine(preference: EnginePreference): Promise<ChosenEngine>;
  /** Main memory in gibibytes, rounded; null where it is not told. */
  readonly mainMemoryGib: number | null;
  /** Threads that can compute accuracy, a runtime in each. */
  readonly lanes: LanePlatform;
  /** Where exports are staged. */
  readonly exports: ExportStore;
  /** What keeps files of the Hub; null where nothing is kept. */
  openHubCache(): Promise<RangeCache | null>;
  /** Room for what is fetched, in bytes; null where nothing is kept, or it is not told. */
  freeCacheBytes(): Promise<number | null>;
  /** Folder of the product's own files (demos, lists of presets), ending in a slash. */
  siteUrl(): URL;
  /**
   * Copies an export into a new folder inside of one that the visitor chose.
   *
   * @returns name of the new folder
   * @throws PeruError `not-saved`, `out-of-disk`; the signal's reason once aborted
   */
  saveToFolder(
    staged: StagedExport,
    chosen: FileSystemDirectoryHandle,
    context: JobContext,
  ): Promise<string>;
}

export interface LanePlatform {
  /** As many as have a core for themselves; 1 where threads can not be started. */
  readonly most: number;
  /** Whether a model's weights can lie in memory that all of them read. */
  readonly shareMemory: boolean;
  start(count: number): LaneThreads;
}

export interface ChosenEngine {
  readonly engine: Engine;
  /** The engine's device, for an evaluator that shares its buffers; null without WebGPU. */
  readonly device: GPUDevice | null;
  /** Why it is not the GPU's, where the browser has none to give. */
  readonly noGpu?: ErrorFacts;
  /** The software adapter that the browser has in place of a GPU, slower than the engine chosen. */
  readonly passedOver?: AdapterReport;
}

/** How a job opens files, and on which machine. */
export interface JobOptions extends OpenOptions {
  readonly platform: Platform;
}
