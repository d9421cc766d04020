/** What the page is told of an export. */
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
