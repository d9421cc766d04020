/** Safetensors files made by hand for tests: sound ones, and ones broken on purpose. */
import { type SafetensorsDtype } from './safetensors-dtype';

export interface FixtureTensor {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A file from raw parts: any header text, any announced length, any data. */
export function rawFile(
  header: string | Uint8Array,
  data: Uint8Array = new Uint8Array(0),
  announcedLength?: bigint,
): Uint8Array<ArrayBuffer> {
  const headerBytes = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + headerBytes.length + data.length);
  new DataView(file.buffer).setBigUint64(0, announcedLength ?? BigInt(headerBytes.length), true);
  file.set(headerBytes, 8);
  file.set(data, 8 + headerBytes.length);
  return file;
}

/** A sound file; unpadded, so that data may start at any byte. */
export function soundFile(
  tensors: Readonly<Record<string, FixtureTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = metadata === undefined ? {} : { __metadata__: metadata };
  let offset = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes.length] };
    offset += bytes.length;
  }
  const data = new Uint8Array(offset);
  let at = 0;
  for (const { bytes } of Object.values(tensors)) {
    data.set(bytes, at);
    at += bytes.length;
  }
  return rawFile(JSON.stringify(header), data);
}

/** A float32 tensor. */
export function f32(shape: readonly number[], values: readonly number[]): FixtureTensor {
  return { dtype: 'F32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** A tensor of any dtype whose bytes count up. */
export function filled(
  dtype: SafetensorsDtype,
  shape: readonly number[],
  byteLength: number,
): FixtureTensor {
  return { dtype, shape, bytes: Uint8Array.from({ length: byteLength }, (_, i) => i & 255) };
}
