/** Facts of one checkpoint for its card: what it holds, from headers alone. */
import { dtypeClass, type SafetensorsDtype } from '@/tensor/safetensors-dtype';

/** What planning needs to know of a tensor; `TensorInfo` and `StoredTensor` fit. */
export interface PlannedTensor {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly elementCount: number;
  readonly byteLength: number;
}

/** One checkpoint as planning sees it; `CheckpointTensors` fits. */
export interface PlannedCheckpoint {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, PlannedTensor>;
}

export interface CheckpointFacts {
  /** Elements of all floating tensors: integer buffers are no parameters. */
  readonly parameterCount: number;
  /** Every dtype in the file, most elements first. */
  readonly dtypes: readonly SafetensorsDtype[];
  readonly tensorCount: number;
  /** Bytes of the tensors, without headers. */
  readonly tensorBytes: number;
}

export function checkpointFacts({ tensors }: PlannedCheckpoint): CheckpointFacts {
  const elements = new Map<SafetensorsDtype, number>();
  let parameterCount = 0;
  let tensorBytes = 0;
  for (const { dtype, elementCount, byteLength } of tensors.values()) {
    elements.set(dtype, (elements.get(dtype) ?? 0) + elementCount);
    if (dtypeClass(dtype) !== 'integer') parameterCount += elementCount;
    tensorBytes += byteLength;
  }
  const dtypes = [...elements].sort((a, b) => b[1] - a[1]).map(([dtype]) => dtype);
  return { parameterCount, dtypes, tensorCount: tensors.size, tensorBytes };
}

/** Names of the tensors that hold floating numbers of any kind. */
export function floatingNames({ tensors }: PlannedCheckpoint): string[] {
  return [...tensors].filter(([, { dtype }]) => dtypeClass(dtype) !== 'integer').map(([n]) => n);
}
