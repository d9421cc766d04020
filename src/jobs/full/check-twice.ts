/** Looks whether tables that a configuration calls one are one in the file, too. */
import { leaveOut } from '@/plan/leave-out';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { isFloatDtype } from '@/tensor/dtype';
import { PeruError } from '@/core/errors';
import { decodeFloats } from '@/tensor/half';
import { readRange } from '@/tensor/safetensors';
import { type PlannedFull } from './planned-full';

/** One dtype's rounding of another's numbers: BF16 keeps eight bits. */
const RELATIVE_TOLERANCE = 2 ** -8;

/**
 * Of the two only one is merged, so they must be alike: else a head that was trained apart would be
 * lost without a word. A few rows tell, and are all that is read.
 *
 * @throws PeruError `mismatch` where they differ, `source` when the file can not be read
 */
export async function checkTwice(
  { plan, stored }: Pick<PlannedFull, 'plan' | 'stored'>,
  signal: AbortSignal,
): Promise<void> {
  for (const [index, tables] of plan.details.twice.entries()) {
    const { name: checkpoint, tensors } = stored[index]!;
    for (const { name, read, copy } of tables) {
      if (await areAlike(tensors.get(read)!, tensors.get(copy)!, signal)) continue;
      const names = [...stored[0]!.tensors.keys()];
      throw notOne(checkpoint, read, copy, leaveOut([name], names));
    }
  }
}

/** A first, a middle and a last row: a head that was trained by itself differs in every one. */
async function areAlike(
  one: StoredTensor,
  other: StoredTensor,
  signal: AbortSignal,
): Promise<boolean> {
  const rows = one.shape[0]!;
  for (const row of new Set([0, Math.floor(rows / 2), rows - 1])) {
    const [a, b] = await Promise.all([one, other].map((table) => readRow(table, row, signal)));
    if (!a!.every((value, i) => isClose(value, b![i]!))) return false;
  }
  return true;
}

async function readRow(
  { source, byteStart, byteLength, dtype, shape, fileName, name }: StoredTensor,
  row: number,
  signal: AbortSignal,
): Promise<Float32Array> {
  if (!isFloatDtype(dtype)) throw notNumbers(name, fileName, dtype);
  const bytes = byteLength / shape[0]!;
  const start = byteStart + row * bytes;
  return decodeFloats(await readRange(source, start, start + bytes, fileName, signal), dtype);
}

/** NaN is told of where weights are loaded. */
function isClose(a: number, b: number): boolean {
  const difference = Math.abs(a - b);
  return !(difference > RELATIVE_TOLERANCE * Math.max(Math.abs(a), Math.abs(b)));
}

function notOne(
  checkpoint: string,
  read: string,
  copy: string,
  exclude: readonly string[],
): PeruError {
  return new PeruError(
    'mismatch',
    `${checkpoint} has "${read}" and "${copy}" as one table by its configuration, but their numbers differ: which of the two the model uses can not be told.`,
    'Set tie_word_embeddings to false in its config.json where the head was trained apart, or save it again with the two tied; or leave the table out of the merge.',
    { exclude },
  );
}

function notNumbers(name: string, fileName: string, dtype: string): PeruError {
  return new PeruError(
    'unsupported',
    `"${name}" in ${fileName} is a copy of a table to merge, but stored as ${dtype}. Peru merges F32, F16 and BF16.`,
    'Save the checkpoint in one of these, for example with model.to(torch.float32).save_pretrained(folder).',
  );
}
