/** What tasks are scored on, before anything of it is read. */
import { type OpenOptions } from '@/formats/checkpoint/checkpoint-source';
import { type ImageDataset } from '@/datasets/dataset';
import { type TextDataset } from '@/datasets/text-dataset';
import { type RowKind } from '@/protocol/group-facts';
import { type Metric } from '@/recipe/recipe';

interface TestOf<Kind extends RowKind, Split> {
  readonly kind: Kind;
  /** Of the data set, for people. */
  readonly name: string;
  /**
   * Opens the split.
   *
   * @throws PeruError when it can not be read or does not suit the task
   */
  readonly open: (options: OpenOptions) => Promise<Split>;
  /** It lies elsewhere than the weights: out of reach, its task is merged all the same, unscored. */
  readonly optional?: boolean;
}

/** Images of a test split, and prompts that its class names are put into. */
export type ImageTest = TestOf<'image', ImageSplit>;

export interface ImageSplit {
  readonly dataset: ImageDataset;
  readonly templates: readonly string[];
}

/** Rows of text, put into a prompt and answered in words. */
export type TextTest = TestOf<'text', TextSplit>;

export interface TextSplit {
  readonly dataset: TextDataset;
  /** The right answer of each label; null where it is the label itself, with one decimal. */
  readonly answers: readonly string[] | null;
  readonly metric: Metric;
  /** Most tokens an answer may have, its end included. */
  readonly maxNewTokens: number;
}

export type Test = ImageTest | TextTest;
