/** Reads the golden safetensors files of this folder for tests, in Node and in the browser. */

export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

export interface GoldenFile {
  readonly tensors: ReadonlyMap<string, GoldenTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Parses a file we wrote ourselves: no checks; F32, I32 and U8 as they stand. */
export function parseGolden(file: ArrayBuffer): GoldenFile {
  const headerLength = Number(new DataView(file).getBigUint64(0, true));
  const text = new TextDecoder().decode(new Uint8Array(file, 8, headerLength));
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(text) as Record<string, Entry> & {
    __metadata__?: Record<string, string>;
  };
  const tensors = new Map<string, GoldenTensor>();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(
    entries as Record<string, Entry>,
  )) {
    const start = 8 + headerLength;
    const bytes = file.slice(start + offsets[0], start + offsets[1]);
    const data =
      dtype === 'F32'
        ? new Float32Array(bytes)
        : dtype === 'I32'
          ? new Int32Array(bytes)
          : new Uint8Array(bytes);
    tensors.set(name, { shape, data });
  }
  return { tensors, metadata };
}

/** A float tensor of the file, which must have it. */
export function floats(
  file: GoldenFile,
  name: string,
): { shape: readonly number[]; data: Float32Array } {
  const tensor = file.tensors.get(name);
  if (!(tensor?.data instanceof Float32Array)) throw new Error(`No float tensor ${name}.`);
  return { shape: tensor.shape, data: tensor.data };
}
