import { describe, expect, it } from 'vitest';
import { PeruError } from '@/core/errors';
import {
  MAX_FORMAT_HEADER_BYTES,
  MAX_HEADER_BYTES,
  readSafetensorsHeader,
  readTensorBytes,
} from './safetensors';
import { f32, filled, rawFile, soundFile } from './safetensors.fixture';

const read = (file: Uint8Array<ArrayBuffer>) =>
  readSafetensorsHeader(new Blob([file]), 'x.safetensors');

/** The refusal of a file, which must be a PeruError that names it and says what to do. */
async function refusal(file: Uint8Array<ArrayBuffer> | Blob): Promise<PeruError> {
  const blob = file instanceof Blob ? file : new Blob([file]);
  const error: unknown = await readSafetensorsHeader(blob, 'x.safetensors').then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PeruError)) throw new Error(`Not refused: ${String(error)}`);
  expect(error.message).toContain('x.safetensors');
  expect(error.hint.length).toBeGreaterThan(10);
  return error;
}

/** A file of one F32 tensor "w" of 2 elements whose entry is rewritten. */
function entry(rewritten: string, dataBytes = 8): Uint8Array<ArrayBuffer> {
  return rawFile(`{"w":${rewritten}}`, new Uint8Array(dataBytes));
}

/** A Blob that records what is read of it. */
class SpyBlob extends Blob {
  readonly ranges: [number, number][] = [];

  override slice(start = 0, end = this.size): Blob {
    this.ranges.push([start, end]);
    return super.slice(start, end);
  }
}

describe('readSafetensorsHeader', () => {
  it('lists tensors in header order with absolute ranges', async () => {
    const file = soundFile({ b: f32([2], [1, 2]), a: filled('I64', [1, 3], 24) }, { format: 'pt' });
    const header = await read(file);
    expect([...header.tensors.keys()]).toEqual(['b', 'a']);
    expect([...header.metadata]).toEqual([['format', 'pt']]);
    const a = header.tensors.get('a')!;
    expect(a).toMatchObject({ dtype: 'I64', shape: [1, 3], elementCount: 3, byteLength: 24 });
    expect(a.byteStart + a.byteLength).toBe(file.length);
    expect(header.byteLength).toBe(file.length);
  });

  it('never reads the data', async () => {
    const file = soundFile({ w: filled('F32', [2500], 10_000) });
    const spy = new SpyBlob([file]);
    const { dataStart } = await readSafetensorsHeader(spy, 'x.safetensors');
    const furthest = Math.max(...spy.ranges.map(([, end]) => end));
    expect(furthest).toBeLessThanOrEqual(Math.max(64, dataStart));
  });

  it('accepts padding spaces, scalars, zero-size tensors and no tensors at all', async () => {
    expect((await read(rawFile('{}      '))).tensors.size).toBe(0);
    const file = soundFile({
      empty: f32([0, 7], []),
      scalar: f32([], [3]),
      alsoEmpty: f32([4, 0], []),
      rest: f32([1, 1], [4]),
    });
    const { tensors } = await read(file);
    expect([...tensors.values()].map((tensor) => tensor.elementCount)).toEqual([0, 1, 0, 1]);
  });

  it('accepts tensors whose order in the file is not that of the header', async () => {
    const file = rawFile(
      '{"late":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},"early":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}',
      new Uint8Array(6),
    );
    expect([...(await read(file)).tensors.keys()]).toEqual(['late', 'early']);
  });

  it('accepts lengths whose bytes are the mark of another format', async () => {
    // 0x0280 is how a pickle begins, 0x3c is "<", 0x4b50 is "PK".
    for (const length of [0x0280, 0x0480, 0x3c, 0x4b50]) {
      expect((await read(rawFile('{}'.padEnd(length)))).tensors.size).toBe(0);
    }
  });

  it('keeps a tensor named __proto__', async () => {
    const file = rawFile(
      '{"__proto__":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}',
      new Uint8Array(1),
    );
    const { tensors } = await read(file);
    expect([...tensors.keys()]).toEqual(['__proto__']);
    expect(tensors.get('__proto__')!.dtype).toBe('U8');
  });

  it.each(Array.from({ length: 48 }, (_, i) => i))('refuses a file cut to %i bytes', async (n) => {
    const whole = soundFile({ weight: f32([2], [1, 2]) });
    expect(whole.length).toBeGreaterThan(48);
    expect((await refusal(whole.slice(0, n))).kind).toBe('parse');
  });

  it('refuses a file cut in its data, naming the tensor', async () => {
    const whole = soundFile({ first: f32([2], [1, 2]), second: f32([2], [1, 2]) });
    expect((await refusal(whole.slice(0, -1))).message).toMatch(/"second".*truncated/);
  });

  it('refuses a header longer than the file, than Peru reads, than the format allows', async () => {
    expect((await refusal(rawFile('{}', undefined, 2n ** 63n))).message).toMatch(/truncated/);
    const long = new Blob([
      rawFile('', undefined, BigInt(MAX_HEADER_BYTES + 1)),
      new Uint8Array(MAX_HEADER_BYTES + 1),
    ]);
    expect((await refusal(long)).kind).toBe('unsupported');
    const longer = new Blob([
      rawFile('', undefined, BigInt(MAX_FORMAT_HEADER_BYTES + 1)),
      new Uint8Array(MAX_FORMAT_HEADER_BYTES + 1),
    ]);
    expect((await refusal(longer)).kind).toBe('parse');
  });

  it.each([
    ['no object', '[]', /does not start with/],
    ['leading space', ' {}', /does not start with/],
    ['broken JSON', '{"w":', /JSON/],
    ['text after it', '{} x', /JSON/],
    ['zero bytes after it', '{}\0\0', /JSON/],
    ['deep nesting', `{"w":${'['.repeat(5000)}`, /nests/],
    ['a tensor twice', '{"w":1,"w":2}', /"w" stands twice/],
    ['metadata of numbers', '{"__metadata__":{"a":1}}', /__metadata__.*"a"/],
    ['metadata that is text', '{"__metadata__":"a"}', /__metadata__/],
  ])('refuses a header with %s', async (_, header, message) => {
    const error = await refusal(rawFile(header));
    expect(error.kind).toBe('parse');
    expect(error.message).toMatch(message);
  });

  it('refuses a header that is not UTF-8', async () => {
    const header = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]);
    expect((await refusal(rawFile(header))).message).toMatch(/UTF-8/);
  });

  it.each([
    ['not an object', '[]', /not an object/],
    ['no dtype', '{"shape":[2],"data_offsets":[0,8]}', /no dtype/],
    ['unknown dtype', '{"dtype":"F31","shape":[2],"data_offsets":[0,8]}', /unknown dtype "F31"/],
    ['inherited dtype', '{"dtype":"toString","shape":[2],"data_offsets":[0,8]}', /unknown dtype/],
    ['no shape', '{"dtype":"F32","data_offsets":[0,8]}', /shape/],
    ['negative size', '{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}', /shape/],
    ['minus zero', '{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}', /shape/],
    ['size 2^53', '{"dtype":"U8","shape":[9007199254740992],"data_offsets":[0,8]}', /shape/],
    ['fractional size', '{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}', /not whole/],
    [
      'overflow',
      '{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}',
      /more elem/,
    ],
    [
      'overflow before zero',
      '{"dtype":"U8","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}',
      /more elem/,
    ],
    ['half bytes', '{"dtype":"F4","shape":[3],"data_offsets":[0,2]}', /whole bytes/],
    ['one offset', '{"dtype":"F32","shape":[2],"data_offsets":[0]}', /data_offsets/],
    ['three offsets', '{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}', /data_offsets/],
    ['text offsets', '{"dtype":"F32","shape":[2],"data_offsets":["0","8"]}', /data_offsets/],
    ['end before begin', '{"dtype":"F32","shape":[2],"data_offsets":[8,0]}', /before it begins/],
    ['out of range', '{"dtype":"F32","shape":[4],"data_offsets":[0,16]}', /truncated/],
    ['size that lies', '{"dtype":"F32","shape":[3],"data_offsets":[0,8]}', /should take 12 bytes/],
    [
      'unknown field',
      '{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}',
      /unknown field "x"/,
    ],
    [
      'field twice',
      '{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}',
      /stands twice/,
    ],
  ])('refuses an entry with %s, naming the tensor', async (_, rewritten, message) => {
    const error = await refusal(entry(rewritten));
    expect(error.kind).toBe('parse');
    expect(error.message).toContain('"w"');
    expect(error.message).toMatch(message);
  });

  it.each([
    ['overlap', [0, 4, 2, 6], 6, /"b" overlaps/],
    ['hole at the start', [2, 6, 6, 10], 10, /"a" follows a hole/],
    ['hole between', [0, 4, 6, 10], 10, /"b" follows a hole/],
    ['rest at the end', [0, 4, 4, 8], 11, /3 bytes at its end/],
    ['same range twice', [0, 4, 0, 4], 4, /overlaps/],
  ] as const)('refuses ranges with %s', async (_, [a0, a1, b0, b1], size, message) => {
    const file = rawFile(
      `{"a":{"dtype":"F32","shape":[1],"data_offsets":[${a0},${a1}]},"b":{"dtype":"F32","shape":[],"data_offsets":[${b0},${b1}]}}`,
      new Uint8Array(size),
    );
    expect((await refusal(file)).message).toMatch(message);
  });

  it.each([
    ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:00', /LFS/],
    ['a web page', '<!DOCTYPE html><html><body>Sign in</body></html>', /web page/],
    ['a zipped pickle', 'PK\x03\x04archive/data.pkl', /pickle/],
    ['a GGUF file', 'GGUF\x03\0\0\0\0\0\0\0', /GGUF/],
    ['plain text', 'hello, this is a text file and nothing else', /not a safetensors/],
  ])('says so of %s', async (_, text, message) => {
    const file = Uint8Array.from(text, (char) => char.charCodeAt(0));
    expect((await refusal(file)).message).toMatch(message);
  });
});

describe('readTensorBytes', () => {
  it('copies unaligned tensors to a buffer of their own', async () => {
    const file = soundFile({ pad: filled('U8', [1], 1), w: f32([3], [1, -2, 0.5]) });
    const blob = new Blob([file]);
    const header = await readSafetensorsHeader(blob, 'x');
    expect(header.tensors.get('w')!.byteStart % 4).not.toBe(0);
    const bytes = await readTensorBytes(blob, header, 'w');
    expect(bytes.byteOffset).toBe(0);
    expect([...new Float32Array(bytes.buffer)]).toEqual([1, -2, 0.5]);
    const tail = await readTensorBytes(blob, header, 'w', { start: 4, end: 12 });
    expect([...new Float32Array(tail.buffer)]).toEqual([-2, 0.5]);
  });

  it('refuses ranges outside the tensor and names it does not have', async () => {
    const blob = new Blob([soundFile({ w: f32([1], [1]) })]);
    const header = await readSafetensorsHeader(blob, 'x');
    await expect(readTensorBytes(blob, header, 'w', { start: 0, end: 5 })).rejects.toThrow(
      RangeError,
    );
    await expect(readTensorBytes(blob, header, 'v')).rejects.toThrow(RangeError);
  });

  it('reports a file that shrank or vanished as a source error', async () => {
    const file = soundFile({ w: f32([2], [1, 2]) });
    const header = await readSafetensorsHeader(new Blob([file]), 'x');
    const shrunk = new Blob([file.slice(0, -4)]);
    await expect(readTensorBytes(shrunk, header, 'w')).rejects.toMatchObject({ kind: 'source' });
  });
});
