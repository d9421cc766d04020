import { type PlanChoices } from '@/plan/preflight';
import { type JobEvent, type JobOutcome } from './events';
import { type Goal } from './goal';
import {
  type EnginePreference,
  type ExportRequest,
  type SourceRequest,
  type UploadRequest,
} from './requests';
import { type Recipe } from '@/recipe/recipe';

/** How a source is opened: the plan's choices, and what is to compute. */
export interface OpenChoices extends PlanChoices {
  /** Default: `auto`. */
  readonly engine?: EnginePreference;
}

/** The worker's whole surface, called through Comlink. One job at a time: the latest wins. */
export interface PeruWorker {
  /** Reads headers, checks that the files fit and tells the `preflight`. Cancels any job. */
  open(
    request: SourceRequest,
    choices: OpenChoices,
    onEvent: (event: JobEvent) => void,
  ): Promise<JobOutcome>;
  /** Plans what was opened anew by other choices, without reading its headers again. */
  plan(choices: PlanChoices, onEvent: (event: JobEvent) => void): Promise<JobOutcome>;
  /** Loads the weights by the plan, or readies them to be streamed, and tells the `group`. */
  load(onEvent: (event: JobEvent) => void): Promise<JobOutcome>;
  /**
   * Merges, prunes and scores the open group by the recipe. Cancels the job before it.
   *
   * @param goal of full fine-tunes: looked for first; the run goes on with what is found, and tells it
   */
  run(recipe: Recipe, onEvent: (event: JobEvent) => void, goal?: Goal): Promise<JobOutcome>;
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
