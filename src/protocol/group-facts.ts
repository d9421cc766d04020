/** What the page is told of an open group: small plain facts only. */
import { type AdapterContents } from '@/export/adapter/adapter-contents';
import { type LoraContents } from '@/export/lora/lora-contents';
import { type Metric } from '@/recipe/recipe';

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

export interface GroupFacts {
  readonly title: string;
  readonly cards: readonly CheckpointCard[];
  readonly contents: FullContents | AdapterContents | LoraContents;
  /** Why there is no accuracy, or null where tasks are scored. */
  readonly noAccuracyBecause: string | null;
  /** λ recommended for the group (chosen on validation data), or null. */
  readonly lambda: number | null;
}
