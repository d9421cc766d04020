/** Writes a task's packed file as its tensors are coded, one by one; the directory comes last. */
import { type Checksum, openChecksum } from '@/codecs/packed/checksum';
import { type DirectoryBlock, encodeDirectory, sealed } from '@/codecs/packed/directory';
import { type CodedTensor, type PlannedBlock } from '@/codecs/packed/tensor-code';
import { PeruError } from '@/core/errors';
import { type ExportFolder } from '@/export/file-sink';
import { encodeFloats } from '@/tensor/half';
import { PACKED_PARTS } from '@/formats/sparse/packed-sparse';
import {
  type FileWriter,
  writeFile,
  type WriteOptions,
  type WrittenFile,
} from '@/export/written-file';
import { packedHeader, type PackedHeaderSpec } from './packed-size';
import { type SparseHeader } from './sparse-size';
import { differs, type ReadOwn, writeOwn } from './write-own';

export interface WritePackedSpec extends PackedHeaderSpec {
  /** SHA-256 of the merged model it is applied to (`mergedSha`), 64 hex digits. */
  readonly mergedSha256: string;
  /** Every tensor of the plan, in its order. */
  readonly coded: AsyncIterable<{ readonly name: string; readonly coded: CodedTensor }>;
  readonly readOwn: ReadOwn;
}

/**
 * @param path `STEM.sparse.safetensors`
 * @throws PeruError `internal` when what was coded is not what the plan says, naming file and tensor;
 *   `unsupported` for own tensors whose names mean something else in such a file; whatever the callbacks
 *   and the folder throw
 */
export async function writePacked(
  folder: ExportFolder,
  path: string,
  spec: WritePackedSpec,
  options: WriteOptions = {},
): Promise<WrittenFile> {
  refuseNames(path, spec);
  const laidOut = packedHeader(spec);
  const starts = new Map(
    laidOut.entries.map(({ name }, i) => [name, laidOut.header.starts[i]!] as const),
  );
  const fill = async (file: FileWriter): Promise<void> => {
    await file.write(laidOut.header.bytes, 0);
    await writeOwn(file, laidOut, spec);
    const { codebook, blocks, directory } = PACKED_PARTS;
    const checksum = await openChecksum();
    const magnitudes = encodeFloats(spec.plan.codebook, 'F32');
    await file.write(magnitudes, starts.get(codebook)!);
    const told = await writeBlocks(file, path, spec, checksum, starts.get(blocks)!);
    const bytes = encodeDirectory(
      spec.tensors,
      (name, index) => told.get(name)?.get(index) ?? null,
    );
    await file.write(sealed(bytes, magnitudes, checksum), starts.get(directory)!);
  };
  const tensors = writtenTensors(laidOut, spec);
  return writeFile(folder, path, fill, { ...options, tensors });
}

type Told = ReadonlyMap<string, ReadonlyMap<number, DirectoryBlock>>;

async function writeBlocks(
  file: FileWriter,
  path: string,
  { plan, coded }: WritePackedSpec,
  checksum: Checksum,
  start: number,
): Promise<Told> {
  const told = new Map<string, ReadonlyMap<number, DirectoryBlock>>();
  const planned = plan.tensors.entries();
  let at = start;
  for await (const { name, coded: tensor } of coded) {
    const [next, shapes] = planned.next().value ?? [null, []];
    if (next !== name || !areAlike(shapes, tensor.blocks)) {
      throw differs(path, `"${name}" was coded in ${tensor.blocks.length} blocks`);
    }
    const { gain, blocks } = tensor;
    told.set(
      name,
      new Map(
        blocks.map(({ index, shape, bytes }) => {
          return [index, { shape, gain, checksum: checksum(bytes) }] as const;
        }),
      ),
    );
    const bytes = joined(blocks.map((block) => block.bytes));
    await file.write(bytes, at);
    at += bytes.length;
  }
  const { value: missing } = planned.next();
  if (missing !== undefined) throw differs(path, `"${missing[0]}" was not coded`);
  return told;
}

function areAlike(planned: readonly PlannedBlock[], coded: readonly PlannedBlock[]): boolean {
  const facts = ({ index, shape }: PlannedBlock): string =>
    [index, shape.kept, shape.lowBits, shape.quotientBytes].join();
  return planned.map(facts).join(';') === coded.map(facts).join(';');
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function writtenTensors({ entries }: SparseHeader, { ownTensors = [] }: WritePackedSpec) {
  const own = new Set(ownTensors.map(({ name }) => name));
  return entries.map((entry) => (own.has(entry.name) ? { ...entry, copied: true } : entry));
}

function refuseNames(path: string, { ownTensors = [] }: WritePackedSpec): void {
  const parts = new Set<string>(Object.values(PACKED_PARTS));
  for (const { name } of ownTensors) {
    if (!parts.has(name)) continue;
    throw new PeruError(
      'unsupported',
      `${path} can not hold the task's own tensor "${name}": in a sparse file this name stands for the code of others.`,
      'Rename the tensor in the checkpoint, or leave it out.',
    );
  }
}
