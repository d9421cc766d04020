/**
 * What a packed file says of its blocks, in order: for every tensor of the merged model that holds floats,
 * in canonical order, for every `BLOCK_ELEMENTS` of it, how many entries are kept, a varint; where any are,
 * k of the Rice codes and the gain, a byte each, bytes of quotients, a varint, and a checksum of the
 * block's bytes, lowest byte first. Last comes a checksum of the codebook's bytes and of all before it.
 * Names stand in the merged model.
 */
import { BLOCK_ELEMENTS, blockBytes, type BlockShape } from './block-code';
import { type Checksum, CHECKSUM_BYTES } from './checksum';
import { type PackedFormat } from './packed-format';
import { MOST_LOW_BITS } from './rice';
import { readVarint, writeVarint } from './varints';

/** What is wrong with a directory, as the end of a sentence that names the file. */
export class DirectoryError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DirectoryError';
  }
}

/** A tensor that blocks may be of. */
export interface DirectoryTensor {
  readonly name: string;
  readonly elementCount: number;
}

/** A block as it is told of. */
export interface DirectoryBlock {
  readonly shape: BlockShape;
  /** Byte of `gain-byte.ts`. */
  readonly gain: number;
  readonly checksum: number;
}

/** A block where it lies. */
export interface PlacedBlock extends DirectoryBlock {
  /** Of its tensor's, from 0. */
  readonly index: number;
  /** Elements it covers. */
  readonly elementCount: number;
  /** Its bytes among those of all blocks. */
  readonly byteStart: number;
  readonly byteLength: number;
}

export interface Directory {
  /** By name, those that keep any, in canonical order. */
  readonly tensors: ReadonlyMap<string, readonly PlacedBlock[]>;
  readonly kept: number;
  /** Bytes of all blocks. */
  readonly byteLength: number;
}

function blockCount({ elementCount }: Pick<DirectoryTensor, 'elementCount'>): number {
  return Math.ceil(elementCount / BLOCK_ELEMENTS);
}

/** @param blockOf the block of this number in a tensor; null where it keeps none */
export function encodeDirectory(
  tensors: readonly DirectoryTensor[],
  blockOf: (name: string, index: number) => DirectoryBlock | null,
): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const tensor of tensors) {
    for (let index = 0; index < blockCount(tensor); index++) {
      const block = blockOf(tensor.name, index);
      writeVarint(bytes, block?.shape.kept ?? 0);
      if (block === null) continue;
      bytes.push(block.shape.lowBits, block.gain);
      writeVarint(bytes, block.shape.quotientBytes);
      bytes.push(block.checksum & 255, block.checksum >>> 8);
    }
  }
  return Uint8Array.from(bytes);
}

/** Adds the checksum at its end. */
export function sealed(
  directory: Uint8Array,
  codebook: Uint8Array,
  checksum: Checksum,
): Uint8Array<ArrayBuffer> {
  const sum = checksum(codebook, directory);
  const bytes = new Uint8Array(directory.length + CHECKSUM_BYTES);
  bytes.set(directory);
  bytes.set([sum & 255, sum >>> 8], directory.length);
  return bytes;
}

/**
 * @param bytes `sealed`
 * @returns the directory within; null where it, or the codebook, is not what was sealed
 */
export function unsealed(
  bytes: Uint8Array,
  codebook: Uint8Array,
  checksum: Checksum,
): Uint8Array | null {
  if (bytes.length < CHECKSUM_BYTES) return null;
  const directory = bytes.subarray(0, -CHECKSUM_BYTES);
  const [low, high] = bytes.subarray(-CHECKSUM_BYTES);
  return low! + 256 * high! === checksum(codebook, directory) ? directory : null;
}

/** @throws DirectoryError where it is not one of these tensors */
export function readDirectory(
  bytes: Uint8Array,
  tensors: readonly DirectoryTensor[],
  format: PackedFormat,
): Directory {
  const found = new Map<string, PlacedBlock[]>();
  let [at, kept, byteStart] = [0, 0, 0];
  for (const tensor of tensors) {
    const { name, elementCount } = tensor;
    const blocks: PlacedBlock[] = [];
    for (let index = 0; index < blockCount(tensor); index++) {
      const covered = Math.min(BLOCK_ELEMENTS, elementCount - index * BLOCK_ELEMENTS);
      const { block, next } = readBlock(bytes, at, covered, name);
      at = next;
      if (block === null) continue;
      const byteLength = blockBytes(block.shape, format);
      if (blocks.length > 0 && blocks[0]!.gain !== block.gain) {
        throw new DirectoryError(`gives "${name}" more than one gain`);
      }
      blocks.push({ ...block, index, elementCount: covered, byteStart, byteLength });
      kept += block.shape.kept;
      byteStart += byteLength;
    }
    if (blocks.length > 0) found.set(name, blocks);
  }
  if (at !== bytes.length) throw new DirectoryError(`goes on for ${bytes.length - at} bytes`);
  return { tensors: found, kept, byteLength: byteStart };
}

function readBlock(
  bytes: Uint8Array,
  from: number,
  elementCount: number,
  name: string,
): { readonly block: DirectoryBlock | null; readonly next: number } {
  const ends = (): DirectoryError => new DirectoryError(`ends before "${name}"`);
  const kept = readVarint(bytes, from);
  if (kept === null) throw ends();
  if (kept.value === 0) return { block: null, next: kept.next };
  const [lowBits, gain] = [bytes[kept.next], bytes[kept.next + 1]];
  const quotients = readVarint(bytes, kept.next + 2);
  if (lowBits === undefined || gain === undefined || quotients === null) throw ends();
  const next = quotients.next + CHECKSUM_BYTES;
  if (next > bytes.length) throw ends();
  const shape = { kept: kept.value, lowBits, quotientBytes: quotients.value };
  if (!isPossible(shape, elementCount)) {
    throw new DirectoryError(`tells of ${kept.value} entries in "${name}" that can not be`);
  }
  const checksum = bytes[quotients.next]! + 256 * bytes[quotients.next + 1]!;
  return { block: { shape, gain, checksum }, next };
}

/** Keeps what a hostile directory may ask to be read within what its tensor could take. */
function isPossible({ kept, lowBits, quotientBytes }: BlockShape, elementCount: number): boolean {
  const mostBits = kept + elementCount / 2 ** lowBits;
  return (
    kept <= elementCount &&
    lowBits <= MOST_LOW_BITS &&
    8 * quotientBytes >= kept &&
    8 * quotientBytes < mostBits + 8
  );
}
