/** What the page is told of an export. */
import { type PositionCost } from '@/export/sparse/index-cost';

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
export interface IndexCost extends PositionCost {
  readonly task: string;
}

export interface ExportFacts {
  /** In the order they were written. */
  readonly files: readonly ExportedFile[];
  readonly bytes: number;
  /** Per task; empty for adapters. */
  readonly index: readonly IndexCost[];
  readonly seconds: number;
}
