/** What the page may ask for. */
import { type ResultsFile } from './results-file';
import { type Recipe } from '@/recipe/recipe';
import { type RecipeFile } from '@/recipe/recipe-file';

/** Full fine-tunes, adapters of one base, LoRA files without one. */
export type DemoName = 'fft' | 'lora' | 'loras';

/** A file of the visitor's disk with its path inside what was added. */
export interface AddedFile {
  readonly path: string;
  readonly file: File;
}

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
      readonly files: readonly AddedFile[];
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

/** What computes: the browser's GPU where it has one, else the processor; or always one of them. */
export const ENGINE_PREFERENCES = ['auto', 'gpu', 'processor'] as const;
export type EnginePreference = (typeof ENGINE_PREFERENCES)[number];

/** What an export is made from, beside the open group. */
export interface ExportRequest {
  readonly recipe: Recipe;
  /** results.json, as `Download results` writes it; the model card's numbers come from it. */
  readonly results: ResultsFile;
  /** Address that opens sources and recipe again; null where they lie on a disk. */
  readonly link: string | null;
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
