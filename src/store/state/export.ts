/** The latest export: which files were made, of what, and where they went. */
import { createStore } from 'zustand/vanilla';
import {
  type ExportedFile,
  type ExportedKind,
  type ExportFacts,
  type IndexCost,
} from '@/protocol/export-facts';
import { type Recipe } from '@/recipe/recipe';

export type { ExportedFile, ExportedKind, ExportFacts, IndexCost };

export interface MadeExport {
  readonly facts: ExportFacts;
  /** It was made of. */
  readonly recipe: Recipe;
}

export interface UploadTarget {
  /** `owner/name`. */
  readonly repo: string;
  readonly isPrivate: boolean;
}

export interface Uploaded extends UploadTarget {
  /** Address of the commit. */
  readonly url: string;
  readonly commit: string;
}

export interface ExportState {
  /** What the worker holds; null: nothing. */
  readonly made: MadeExport | null;
  /** The same as one file, once it was asked for. */
  readonly zip: File | null;
  /** Name of the folder that it was saved into last. */
  readonly savedTo: string | null;
  /** What was asked for last, whatever came of it. */
  readonly target: UploadTarget | null;
  readonly uploaded: Uploaded | null;
}

export const INITIAL_EXPORT: ExportState = {
  made: null,
  zip: null,
  savedTo: null,
  target: null,
  uploaded: null,
};

export const exportStore = createStore<ExportState>(() => INITIAL_EXPORT);
