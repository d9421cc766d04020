import {
  type ExportState,
  type IndexCost,
  type MadeExport,
  type Uploaded,
} from '@/store/state/export';

export function selectMade({ made }: ExportState): MadeExport | null {
  return made;
}

export function selectSavedTo({ savedTo }: ExportState): string | null {
  return savedTo;
}

export function selectUploaded({ uploaded }: ExportState): Uploaded | null {
  return uploaded;
}

export function selectTarget({ target }: ExportState): ExportState['target'] {
  return target;
}

export interface IndexTotal {
  readonly gapBytes: number;
  readonly entropyBytes: number;
}

/** What all tasks' positions cost together; null where nothing has positions. */
export function indexTotal(index: readonly IndexCost[]): IndexTotal | null {
  if (index.length === 0) return null;
  const sum = (pick: (cost: IndexCost) => number): number =>
    index.reduce((total, cost) => total + pick(cost), 0);
  return { gapBytes: sum((cost) => cost.gapBytes), entropyBytes: sum((cost) => cost.entropyBytes) };
}
