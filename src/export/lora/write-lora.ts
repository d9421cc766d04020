/** Writes a file of LoRA factors: truncated products, alphas, and what travels along byte for byte. */
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
import { type FloatDtype } from '@/tensor/dtype';
import { encodeFloats } from '@/tensor/half';
import { transposed } from '@/export/transposed';
import { type BalancedFactors } from '@/tensor/low-rank';
import { type LoraEntry } from './lora-entries';
import { type LaidOutLora } from './lora-preview';
import { type WrittenLoraModule } from './written-modules';

export interface WriteLoraSpec extends LaidOutLora {
  /** Inside the export. */
  readonly path: string;
  readonly configPath: string | null;
  /** Factors of a module at its rank, Δ = b a; asked module after module. */
  readonly factorsOf: (module: WrittenLoraModule) => Promise<BalancedFactors>;
  /** Of a module with a bias: what is added to its layer's outputs, scaled; [rows] numbers. */
  readonly biasOf: (module: WrittenLoraModule) => Promise<Float64Array>;
  /** Bytes [start, end) of a tensor that a file carries. */
  readonly readCarried: (
    file: string,
    name: string,
    start: number,
    end: number,
  ) => Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * @returns the configuration, where there is one, then the weights
 * @throws RangeError for factors of another rank; whatever the callbacks and the folder throw
 */
export async function writeLora(
  folder: ExportFolder,
  spec: WriteLoraSpec,
  options: WriteOptions = {},
): Promise<WrittenFile[]> {
  const { config, configPath, path, entries } = spec;
  const files: WrittenFile[] = [];
  if (config !== null && configPath !== null) {
    files.push(await writeWhole(folder, configPath, config.text, options));
  }
  const tensors = entries.map(({ name, dtype, shape, fill }) => {
    return { name, dtype, shape, copied: fill === 'carried' };
  });
  const fill = (file: FileWriter): Promise<void> => fillLora(file, spec);
  return [...files, await writeFile(folder, path, fill, { ...options, tensors })];
}

/** Modules one after the other, each factorised once; their places in the file are the entries'. */
async function fillLora(file: FileWriter, spec: WriteLoraSpec): Promise<void> {
  const { header, entries, modules } = spec;
  await file.write(header.bytes, 0);
  const gathered = new GatheredWrites(file);
  const own = new Map<WrittenLoraModule, (readonly [LoraEntry, number])[]>();
  for (const [i, entry] of entries.entries()) {
    const start = header.starts[i]!;
    if (entry.fill === 'carried') await copyCarried(file, entry, start, spec);
    else own.set(entry.module, [...(own.get(entry.module) ?? []), [entry, start]]);
  }
  for (const module of modules) {
    const factors = await spec.factorsOf(module);
    if (factors.rank !== module.rank) {
      throw new RangeError(
        `"${module.key}" was asked for at rank ${module.rank}, not ${factors.rank}.`,
      );
    }
    for (const [entry, start] of own.get(module)!) {
      const bytes =
        entry.fill === 'bias'
          ? biasBytes(await spec.biasOf(module), module, entry.dtype as FloatDtype)
          : bytesOf(entry, module, factors);
      await gathered.write(exactly(bytes, entryBytes(entry), entry.name), start);
    }
  }
  await gathered.flush();
}

/** Bytes that are written at once: each write is hashed, and waited for, by itself. */
const GATHERED_BYTES = 2 ** 22;

/** Joins what lies side by side in a file: factors are small, and come nearly in its order. */
class GatheredWrites {
  readonly #file: FileWriter;
  #parts: { readonly bytes: Uint8Array<ArrayBuffer>; readonly at: number }[] = [];
  #byteLength = 0;

  constructor(file: FileWriter) {
    this.#file = file;
  }

  async write(bytes: Uint8Array<ArrayBuffer>, at: number): Promise<void> {
    this.#parts.push({ bytes, at });
    this.#byteLength += bytes.length;
    if (this.#byteLength >= GATHERED_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    const parts = this.#parts.sort((a, b) => a.at - b.at);
    this.#parts = [];
    this.#byteLength = 0;
    for (let from = 0; from < parts.length;) {
      let [to, end] = [from, parts[from]!.at];
      for (; to < parts.length && parts[to]!.at === end; to++) end += parts[to]!.bytes.length;
      const { at } = parts[from]!;
      const run = new Uint8Array(end - at);
      for (const part of parts.slice(from, to)) run.set(part.bytes, part.at - at);
      await this.#file.write(run, at);
      from = to;
    }
  }
}

async function copyCarried(
  file: FileWriter,
  entry: Extract<LoraEntry, { fill: 'carried' }>,
  at: number,
  { readCarried }: WriteLoraSpec,
): Promise<void> {
  for (const [start, end] of pieces(entryBytes(entry))) {
    const bytes = await readCarried(entry.from, entry.name, start, end);
    await file.write(exactly(bytes, end - start, entry.name), at + start);
  }
}

/** A factor is divided by the root of what its reader multiplies the product by. */
function bytesOf(
  { fill, dtype }: LoraEntry,
  module: WrittenLoraModule,
  { a, b }: BalancedFactors,
): Uint8Array<ArrayBuffer> {
  const { alpha, scale, rank, rows, columns, spelling } = module;
  const stored = dtype as FloatDtype;
  if (fill === 'alpha') return encodeFloats(Float32Array.of(alpha!.value), stored);
  const size = fill === 'up' ? rows : columns;
  const values = fill === 'up' ? scaled(b, scale) : scaled(a, scale);
  if (!spelling.isTransposed) return encodeFloats(values, stored);
  const [from, to] = fill === 'up' ? [size, rank] : [rank, size];
  return encodeFloats(transposed(values, from, to), stored);
}

/** A reader multiplies it by the scale, as it does the product. */
function biasBytes(
  values: Float64Array,
  { scale }: WrittenLoraModule,
  dtype: FloatDtype,
): Uint8Array<ArrayBuffer> {
  return encodeFloats(
    Float32Array.from(values, (value) => value / scale),
    dtype,
  );
}

function scaled(values: Float32Array<ArrayBuffer>, scale: number): Float32Array<ArrayBuffer> {
  const factor = 1 / Math.sqrt(scale);
  return factor === 1 ? values : values.map((value) => value * factor);
}
