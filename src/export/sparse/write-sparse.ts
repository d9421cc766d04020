/** Writes a task's sparse vector, version 1, as the encoder gives it, tensor by tensor. */
import { partName, wholeName } from '@/codecs/sparse-parts';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { type EncodedTensor } from '@/tensor/engine';
import { PeruError } from '@/core/errors';
import { type FlatLayout } from '@/tensor/layout';
import { type ExportFolder } from '@/export/file-sink';
import { type HeaderEntry } from '@/export/safetensors-writer';
import { type SparseHeader, sparseHeader, type SparseHeaderSpec } from './sparse-size';
import {
  type FileWriter,
  type WriteOptions,
  writeFile,
  type WrittenFile,
  type WrittenTensor,
} from '@/export/written-file';
import { differs, type ReadOwn, writeOwn } from './write-own';

export interface WriteSparseSpec extends SparseHeaderSpec {
  readonly layout: FlatLayout;
  /** SHA-256 of the merged model it is applied to (`mergedSha`), 64 hex digits. */
  readonly mergedSha256: string;
  /** Each tensor of `costs` once, in any order (`WeightGroup.encodeKept`). */
  readonly encoded: AsyncIterable<EncodedTensor>;
  readonly readOwn: ReadOwn;
}

/**
 * The header comes from the costs, so every tensor's place is known before it is encoded.
 *
 * @param path `STEM.sparse.safetensors`
 * @throws PeruError `internal` when what was encoded is not what the costs say, naming file and
 *   tensor; `unsupported` for own tensors whose names mean something else in such a file; whatever
 *   the callbacks and the folder throw
 */
export async function writeSparse(
  folder: ExportFolder,
  path: string,
  spec: WriteSparseSpec,
  options: WriteOptions = {},
): Promise<WrittenFile> {
  refuseNames(path, spec);
  const laidOut = sparseHeader(spec);
  const fill = async (file: FileWriter): Promise<void> => {
    await file.write(laidOut.header.bytes, 0);
    await writeOwn(file, laidOut, spec);
    await writeEncoded(file, path, laidOut, spec);
  };
  const tensors = writtenTensors(laidOut.entries, spec);
  return writeFile(folder, path, fill, { ...options, tensors });
}

async function writeEncoded(
  file: FileWriter,
  path: string,
  { entries, header }: SparseHeader,
  { costs, encoded, layout, valueDtype }: WriteSparseSpec,
): Promise<void> {
  const { bytesPerValue, scaleOf } = VALUE_CODECS[valueDtype];
  const starts = new Map(entries.map(({ name }, i) => [name, header.starts[i]!] as const));
  const expected = new Map(costs.map((cost) => [cost.name, cost] as const));
  for await (const { tensor, kept, gaps, values, scale } of encoded) {
    const name = layout.tensors[tensor]?.name ?? `number ${tensor}`;
    const cost = expected.get(name);
    if (
      cost?.kept !== kept ||
      cost.gapBytes !== gaps.length ||
      values.length !== kept * bytesPerValue ||
      (scale === null) !== (scaleOf === null)
    ) {
      throw differs(path, `"${name}" was encoded with ${kept} entries and ${gaps.length} gaps`);
    }
    expected.delete(name);
    if (scale !== null) await file.write(scaleBytes(scale), starts.get(partName(name, 'scale'))!);
    await file.write(values, starts.get(partName(name, 'values'))!);
    await file.write(gaps, starts.get(partName(name, 'gaps'))!);
  }
  const [missing] = expected.keys();
  if (missing !== undefined) throw differs(path, `"${missing}" was not encoded`);
}

function scaleBytes(scale: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, scale, true);
  return bytes;
}

function writtenTensors(
  entries: readonly HeaderEntry[],
  { costs, layout, ownTensors = [] }: WriteSparseSpec,
): WrittenTensor[] {
  const own = new Set(ownTensors.map(({ name }) => name));
  const counts = new Map(layout.tensors.map((span) => [span.name, span.elementCount] as const));
  const gaps = new Map<string, WrittenTensor['gaps']>(
    costs.map(({ name, kept }) => [
      partName(name, 'gaps'),
      { elementCount: counts.get(name) ?? 0, kept },
    ]),
  );
  return entries.map((entry) => {
    const positions = gaps.get(entry.name);
    if (positions !== undefined) return { ...entry, gaps: positions };
    return own.has(entry.name) ? { ...entry, copied: true } : entry;
  });
}

/** A tensor of its own called `x.gaps` could not be told from the gaps of x. */
function refuseNames(path: string, { ownTensors = [], costs }: WriteSparseSpec): void {
  const steps = new Set(costs.map(({ name }) => partName(name, 'scale')));
  for (const { name } of ownTensors) {
    const isPart = wholeName(name, 'gaps') !== null || wholeName(name, 'values') !== null;
    if (!isPart && !steps.has(name)) continue;
    throw new PeruError(
      'unsupported',
      `${path} can not hold the task's own tensor "${name}": in a sparse file this name stands for a part of another tensor.`,
      'Rename the tensor in the checkpoint, or leave it out.',
    );
  }
}
