/** Writes a PEFT adapter folder: the configuration, the factors, and full copies beside them. */
import { type BalancedFactors } from '@/tensor/low-rank';
import { transposed } from '@/export/transposed';
import { PeruError } from '@/core/errors';
import { savedModules, writtenLayer } from './adapter-config';
import {
  ADAPTER_CONFIG,
  ADAPTER_MODEL,
  adapterConfigText,
  type AdapterFolderSpec,
  adapterHeader,
  writtenCopies,
  writtenModules,
  type WrittenModule,
} from './adapter-size';
import { type ExportFolder } from '@/export/file-sink';
import { entryBytes } from '@/export/safetensors-writer';
import {
  exactly,
  type FileWriter,
  pieces,
  type WriteOptions,
  writeFile,
  writeWhole,
  type WrittenFile,
} from '@/export/written-file';

export interface WriteAdapterSpec extends Omit<AdapterFolderSpec, 'otherBytes'> {
  /** The factors of a module of rank 1 or more; Δ = b a in the weight's own orientation. */
  readonly factorsOf: (module: WrittenModule) => Promise<BalancedFactors>;
  /** Bytes [start, end) of a tensor of `copies`, by its name there, in the dtype told there. */
  readonly readCopy: (name: string, start: number, end: number) => Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * @param folderName the adapter's own folder inside the export
 * @returns the configuration, then the weights
 * @throws PeruError `unsupported` for copies that PEFT has no words for; RangeError for factors of
 *   another rank or shape; whatever the callbacks and the folder
 *   throw
 */
export async function writeAdapter(
  folder: ExportFolder,
  folderName: string,
  spec: WriteAdapterSpec,
  options: WriteOptions = {},
): Promise<WrittenFile[]> {
  refuseCopies(folderName, spec);
  const config = adapterConfigText(spec);
  const { entries, header } = adapterHeader(spec);
  const fill = async (file: FileWriter): Promise<void> => {
    await file.write(header.bytes, 0);
    let next = 0;
    for (const module of writtenModules(spec)) {
      const factors = storedFactors(module, await spec.factorsOf(module));
      for (const bytes of factors) {
        const entry = entries[next]!;
        await file.write(exactly(bytes, entryBytes(entry), entry.name), header.starts[next]!);
        next += 1;
      }
    }
    for (const copy of writtenCopies(spec)) {
      for (const [start, end] of pieces(entryBytes(copy))) {
        const bytes = await spec.readCopy(copy.name, start, end);
        await file.write(exactly(bytes, end - start, copy.name), header.starts[next]! + start);
      }
      next += 1;
    }
  };
  return [
    await writeWhole(folder, `${folderName}/${ADAPTER_CONFIG}`, config, options),
    await writeFile(folder, `${folderName}/${ADAPTER_MODEL}`, fill, {
      ...options,
      tensors: entries,
    }),
  ];
}

/**
 * `modules_to_save` names modules by their ends, and takes them out of those that are adapted: a
 * module can not be saved whole where another of the same end, or one inside it, is adapted.
 */
function refuseCopies(folderName: string, spec: WriteAdapterSpec): void {
  const adapted = new Set(writtenModules(spec).map(writtenLayer));
  for (const saved of savedModules(spec.copies ?? [], adapted, spec.source?.modulesToSave ?? [])) {
    const clash = [...adapted].find((layer) => `.${layer}.`.includes(`.${saved}.`));
    if (saved !== '' && clash === undefined) continue;
    const why =
      clash === undefined ? 'it lies outside of all layers' : `"${clash}" is adapted by factors`;
    throw new PeruError(
      'unsupported',
      `${folderName} can not be written as a PEFT adapter: it brings a copy of "${saved}" as a whole, but ${why}.`,
      'Export full models instead: merge each adapter into its base with merge_and_unload in PEFT.',
    );
  }
}

/** lora_A and lora_B as they lie in the file; transposed where PEFT transposes their product. */
function storedFactors(
  { name, rank, rows, columns, layer }: WrittenModule,
  { rank: found, a, b }: BalancedFactors,
): [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>] {
  if (found !== rank)
    throw new RangeError(`"${name}" was asked for at rank ${rank}, not ${found}.`);
  if (layer !== 'embedding' && layer !== 'conv1d') return [bytesOf(a), bytesOf(b)];
  return [bytesOf(transposed(b, rows, rank)), bytesOf(transposed(a, rank, columns))];
}

function bytesOf(values: Float32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
