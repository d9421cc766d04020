/** What the page hears of a job. Tensors, buffers and devices stay in the worker. */
import { type ErrorFacts } from '@/core/errors';
import { type Pause } from '@/formats/checkpoint/checkpoint-source';
import { type Preflight } from '@/plan/preflight';
import { type ExportFacts } from './export-facts';
import { type Found } from './goal';
import { type GroupFacts } from './group-facts';
import { type LowRankFacts, type OverlapFacts, type Score, type SparseFacts } from './results';
import { type StorageRow } from '@/recipe/recipe';
import { type AdapterReport, type EngineKind } from '@/tensor/engine';
import { type FactorizationReport } from '@/tensor/low-rank';

export interface Progress {
  /** For people, e.g. "Evaluating PERU-FFT (10 %)". */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'images' | 'texts' | 'tasks' | 'modules';
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
      /** A software adapter that would be slower than what computes. */
      readonly passedOver?: AdapterReport;
    }
  /** Known from headers alone: what fits, what it will cost. */
  | { readonly type: 'preflight'; readonly preflight: Preflight }
  | { readonly type: 'group'; readonly group: GroupFacts }
  /** What a run with a goal goes on with. */
  | { readonly type: 'found'; readonly found: Found }
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
  /** How much LoRA files have in common, for their sum. */
  | { readonly type: 'overlap'; readonly overlap: OverlapFacts }
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
