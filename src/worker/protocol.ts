/**
 * What the page may ask of the worker and what it hears back: small plain facts only. Tensors,
 * buffers and devices stay in the worker.
 */
import { type SourceSettings } from '@/export/adapter-config';
import { type AdaptedLayer } from '@/export/adapter-size';
import { type AdapterReport, type EngineKind } from '@/tensor/engine';
import { type FloatDtype, type ValueDtype } from '@/tensor/dtype';
import { type MergeMethod } from '@/methods/registry';
import { type RankChoice } from '@/methods/peru-lora';
import { type ErrorFacts } from '@/tensor/errors';
import { type FactorizationReport } from '@/tensor/low-rank';
import { type SafetensorsDtype } from '@/tensor/safetensors-dtype';
import { type Pause } from '@/sources/checkpoint-source';
import { type PlanChoices, type Preflight } from '@/plan/preflight';
import { type RecipeFile } from '@/recipe/recipe-file';
import { type MethodId, type Metric, type Recipe, type StorageRow } from './facts';
import { type ResultsFile } from './results-file';

export type {
  FactorizationReport,
  FloatDtype,
  MergeMethod,
  MethodId,
  Metric,
  Pause,
  PlanChoices,
  Preflight,
  RankChoice,
  Recipe,
  ResultsFile,
  StorageRow,
  ValueDtype,
};

export type DemoName = 'fft' | 'lora';

/** Opens a group of checkpoints: an embedded demo, files from the visitor's disk, or Hub repos. */
export type SourceRequest =
  | {
      readonly kind: 'demo';
      readonly demo: DemoName;
      /** Names these sources: they are compared with its hashes (`recipe-opening`). */
      readonly recipe?: RecipeFile;
    }
  | {
      readonly kind: 'files';
      readonly files: readonly { readonly path: string; readonly file: File }[];
      /** Path of the checkpoint to use as base, once the visitor has chosen; else guessed. */
      readonly base?: string;
      /** Go on although NaN or Inf was found: the visitor said so. */
      readonly allowNonFinite?: boolean;
    }
  | {
      readonly kind: 'hub';
      /** `owner/name`, with `@revision`, a folder after it, or a whole address of the Hub. */
      readonly repos: readonly string[];
      /** Another Hub than the public one. */
      readonly hubUrl?: string;
      /** Sent to that Hub's origin only, and kept nowhere. */
      readonly accessToken?: string;
      /** Id of the checkpoint to use as base, or the one of `repos` that names it; else guessed. */
      readonly base?: string;
      readonly allowNonFinite?: boolean;
      /** Preset the repos come from (`sources/presets`): names the tasks and what scores them. */
      readonly preset?: string;
      /** As for a demo. */
      readonly recipe?: RecipeFile;
    };

export interface CheckpointCard {
  readonly id: string;
  readonly role: 'base' | 'task';
  /** Key of the task in scores, facts and files; unique among tasks. */
  readonly name: string;
  readonly title: string;
  /** What the checkpoint itself is called. */
  readonly checkpoint: string;
  readonly byteLength: number;
  /** Dtypes in the file, most elements first. */
  readonly dtypes: readonly string[];
  readonly parameterCount: number;
  readonly tensorCount: number;
  /** From the repo's model card; null when it names none. */
  readonly licence: string | null;
  /** Data set the task is scored on; null when there is none, with the reason. */
  readonly dataset: {
    readonly name: string;
    /** Rows scored. */
    readonly rowCount: number;
    /** Rows of the split, where those scored are a sample of it. */
    readonly ofRowCount?: number;
    /** What a row is: an image to classify, or a text to answer. */
    readonly rowKind: RowKind;
    /** Null where the answer is a number. */
    readonly classCount: number | null;
    readonly metric: Metric;
  } | null;
  /** Why there is no data set, where one was looked for. */
  readonly unscoredBecause?: string | null;
}

export type RowKind = 'image' | 'text';

/** A group of full fine-tunes. */
export interface FullContents {
  readonly kind: 'full';
  /** Elements of the flat space: N, of which m % are kept for each task. */
  readonly elementCount: number;
}

/** A group of LoRA adapters of one base. */
export interface AdapterContents {
  readonly kind: 'adapters';
  /** Every weight that some task's adapter changes, in canonical order. */
  readonly modules: readonly AdaptedModule[];
  /** Per task, in the order of the cards. */
  readonly tasks: readonly {
    readonly task: string;
    /** Most triplets each module can have, in the order of `modules`; 0 where not adapted. */
    readonly ranks: readonly number[];
    /** Names of the modules in the model it was made for, where they are not the base's. */
    readonly writtenNames: Readonly<Record<string, string>>;
    /** Full copies of biases and heads that travel with it, whatever the rank. */
    readonly copies: readonly CopiedTensor[];
    /** What its configuration says that an export says again. */
    readonly source: SourceSettings;
  }[];
  /** What adapters name as their base: its repo on the Hub, or null. */
  readonly baseModel: string | null;
  /** The largest rank of any module of any task: the right end of the rank slider. */
  readonly maxRank: number;
}

export interface AdaptedModule {
  /** Name of the base's weight. */
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  /** How PEFT adapts such a layer; `linear` unless told. */
  readonly layer?: AdaptedLayer;
}

export interface CopiedTensor {
  /** Its name in the model that was adapted. */
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
}

export interface GroupFacts {
  readonly title: string;
  readonly cards: readonly CheckpointCard[];
  readonly contents: FullContents | AdapterContents;
  /** Why there is no accuracy, or null where tasks are scored. */
  readonly noAccuracyBecause: string | null;
  /** λ recommended for the group (chosen on validation data), or null. */
  readonly lambda: number | null;
}

/** One cell of the accuracy table. `n` grows from 128 to the whole split as results stream in. */
export interface Score {
  readonly method: MethodId;
  readonly task: string;
  readonly metric: Metric;
  /** The metric on the first n rows: 0..1, for `spearman` -1..1. */
  readonly value: number;
  readonly n: number;
  /** Rows in the split: the score is final when n equals it. */
  readonly total: number;
}

/** Exact facts of one task's kept entries at the current m. */
export interface SparseFacts {
  readonly method: MethodId;
  readonly task: string;
  readonly kept: number;
  readonly nonZero: number;
  /** Kept share of the squared norm of u, 0..1; null where NaN or Inf leaves it undefined. */
  readonly energyShare: number | null;
}

/** Exact facts of one task's compressed adapter at the current rank. */
export interface LowRankFacts {
  readonly method: MethodId;
  readonly task: string;
  /** Triplets kept, in the order of `AdapterContents.modules`. */
  readonly ranks: readonly number[];
  /** Kept share of the squared norm of all the task's deltas, 0..1. */
  readonly energyShare: number;
  /** Bytes of its adapter folder. */
  readonly bytes: number;
}

export interface Progress {
  /** For people, e.g. "Evaluating PERU-FFT (10 %)". */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'images' | 'texts' | 'tasks';
}

/** What an export is made from, beside the open group. */
export interface ExportRequest {
  readonly recipe: Recipe;
  /** results.json, as `Download results` writes it; the model card's numbers come from it. */
  readonly results: ResultsFile;
  /** Address that opens sources and recipe again; null where they lie on a disk. */
  readonly link: string | null;
}

/** One file made, read back and found sound. */
export interface ExportedFile {
  /** Inside the export's folder, parts separated by `/`. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256, 64 hex digits. */
  readonly sha256: string;
  readonly kind: ExportedKind;
}

/** `side`: copied from the sources (configuration, tokenizer); `about`: card, recipe, results. */
export type ExportedKind = 'merged' | 'sparse' | 'adapter' | 'side' | 'about';

/** What the positions of one task's kept entries cost. */
export interface IndexCost {
  readonly task: string;
  readonly kept: number;
  /** Bytes of all its gaps. */
  readonly gapBytes: number;
  /** Least bytes that any code needs on average for so many among so many: N H(k / N) / 8. */
  readonly entropyBytes: number;
}

export interface ExportFacts {
  /** In the order they were written. */
  readonly files: readonly ExportedFile[];
  readonly bytes: number;
  /** Per task; empty for adapters. */
  readonly index: readonly IndexCost[];
  readonly seconds: number;
}

/** A repo of the Hub to make, or to add to, from the latest export. */
export interface UploadRequest {
  /** `owner/name`. */
  readonly repo: string;
  readonly private: boolean;
  readonly hubUrl?: string;
  /** Sent to that Hub's origin only, and kept nowhere. */
  readonly accessToken: string;
  /** Whether it came from a sign-in, which covers less than most tokens that are pasted. */
  readonly signedIn: boolean;
}

export type JobEvent =
  | {
      readonly type: 'engine';
      readonly engine: EngineKind;
      readonly adapter: AdapterReport;
      /** What scores the models; empty until it is ready. */
      readonly evaluator: string;
      /** Why the processor computes. */
      readonly noGpu?: ErrorFacts;
    }
  /** Known from headers alone: what fits, what it will cost. */
  | { readonly type: 'preflight'; readonly preflight: Preflight }
  | { readonly type: 'group'; readonly group: GroupFacts }
  | { readonly type: 'progress'; readonly progress: Progress }
  /** A server's limit on requests has brought them to a stop; null: they go on. */
  | { readonly type: 'pause'; readonly pause: Pause | null }
  /** 2048 counts of |u| by magnitude per task, around theta*, for the live slider. */
  | {
      readonly type: 'histograms';
      readonly histograms: readonly { readonly task: string; readonly counts: Uint32Array }[];
    }
  /** Singular values of every adapted module, for the live rank slider. */
  | {
      readonly type: 'spectra';
      readonly report: FactorizationReport;
      readonly spectra: readonly {
        readonly task: string;
        /** Descending, in the order of `AdapterContents.modules`; empty where not adapted. */
        readonly modules: readonly Float32Array[];
      }[];
    }
  | { readonly type: 'score'; readonly score: Score }
  | { readonly type: 'sparse'; readonly facts: SparseFacts }
  | { readonly type: 'low-rank'; readonly facts: LowRankFacts }
  | { readonly type: 'storage'; readonly rows: readonly StorageRow[] }
  /** GPU memory (or typed arrays) held now, the evaluator's included; the peak is the engine's. */
  | { readonly type: 'memory'; readonly liveBytes: number; readonly peakBytes: number }
  | { readonly type: 'exported'; readonly facts: ExportFacts }
  /** A copy of the whole export as one zip; the file lies on disk (OPFS). */
  | { readonly type: 'zipped'; readonly file: File }
  /** Address of the commit on the Hub. */
  | { readonly type: 'uploaded'; readonly url: string; readonly commit: string }
  /** A stage ended; `name` and seconds as in results.json. */
  | { readonly type: 'stage'; readonly name: string; readonly seconds: number };

export type JobOutcome =
  | { readonly status: 'done' }
  | { readonly status: 'cancelled' }
  | { readonly status: 'failed'; readonly error: ErrorFacts };

/** The worker's whole surface, called through Comlink. One job at a time: the latest wins. */
export interface PeruWorker {
  /** Reads headers, checks that the files fit and tells the `preflight`. Cancels any job. */
  open(
    request: SourceRequest,
    choices: PlanChoices,
    onEvent: (event: JobEvent) => void,
  ): Promise<JobOutcome>;
  /** Plans what was opened anew by other choices, without reading its headers again. */
  plan(choices: PlanChoices, onEvent: (event: JobEvent) => void): Promise<JobOutcome>;
  /** Loads the weights by the plan, or readies them to be streamed, and tells the `group`. */
  load(onEvent: (event: JobEvent) => void): Promise<JobOutcome>;
  /** Merges, prunes and scores the open group by the recipe. Cancels the job before it. */
  run(recipe: Recipe, onEvent: (event: JobEvent) => void): Promise<JobOutcome>;
  /**
   * Makes the recipe's files from the open group, in a folder of the browser's own storage, and reads
   * them back. Takes the place of the export before it, which stays on disk while a page holds it; a
   * failed or cancelled one leaves nothing.
   */
  export(request: ExportRequest, onEvent: (event: JobEvent) => void): Promise<JobOutcome>;
  /** One file of the latest export, on disk; null where there is none of that path. */
  exportedFile(path: string): Promise<File | null>;
  /** Packs the latest export, once, into one zip without compression, and tells `zipped`. */
  zip(onEvent: (event: JobEvent) => void): Promise<JobOutcome>;
  /** Copies the latest export into a folder that the visitor chose; each file is whole or absent. */
  saveTo(
    folder: FileSystemDirectoryHandle,
    onEvent: (event: JobEvent) => void,
  ): Promise<JobOutcome>;
  /** Uploads the latest export to the Hub in one commit and tells `uploaded`. */
  upload(request: UploadRequest, onEvent: (event: JobEvent) => void): Promise<JobOutcome>;
  cancel(): Promise<void>;
}
