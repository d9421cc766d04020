/**
 * Files out of what is uploaded to the content-addressed store (Xet): blocks of chunks, which may be
 * compressed, and a shard, which says which chunks make up a file.
 */

const HASH = 32;
const HEADER = 48;
const ENTRY = 48;
const HAS_VERIFICATION = 0x80000000;
const HAS_SHA256 = 0x40000000;
const BOOKEND = 'ff'.repeat(HASH);

export interface ShardFile {
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** The files of a shard that carry their SHA-256, rebuilt from the blocks that it names. */
export function filesOfShard(
  shard: Uint8Array,
  blocks: ReadonlyMap<string, Uint8Array>,
): readonly ShardFile[] {
  const view = new DataView(shard.buffer, shard.byteOffset, shard.byteLength);
  const files: ShardFile[] = [];
  let at = HEADER;
  while (hashAt(shard, at) !== BOOKEND) {
    const flags = view.getUint32(at + HASH, true);
    const count = view.getUint32(at + HASH + 4, true);
    const terms = at + ENTRY;
    const pieces = Array.from({ length: count }, (_, i) => {
      const term = terms + i * ENTRY;
      const block = blocks.get(hashAt(shard, term));
      if (block === undefined) throw new Error('The shard names a block that never came.');
      const [start, end] = [term + HASH + 8, term + HASH + 12].map((p) => view.getUint32(p, true));
      return Buffer.concat(chunksOf(block).slice(start, end));
    });
    at = terms + count * ENTRY * ((flags & HAS_VERIFICATION) === 0 ? 1 : 2);
    if ((flags & HAS_SHA256) === 0) continue;
    files.push({ sha256: hashAt(shard, at), bytes: Buffer.concat(pieces) });
    at += ENTRY;
  }
  return files;
}

/** Four numbers of eight bytes, each with its lowest byte first. */
function hashAt(bytes: Uint8Array, at: number): string {
  const words = [0, 8, 16, 24].map((word) => {
    return Buffer.from(bytes.slice(at + word, at + word + 8).reverse());
  });
  return Buffer.concat(words).toString('hex');
}

/** The chunks of a block, unpacked. */
function chunksOf(block: Uint8Array): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  while (at < block.length) {
    const packed = threeBytes(block, at + 1);
    const scheme = block[at + 4];
    const length = threeBytes(block, at + 5);
    const content = block.subarray(at + 8, at + 8 + packed);
    chunks.push(
      scheme === 0
        ? content
        : scheme === 1
          ? unpack(content, length)
          : ungroup(unpack(content, length)),
    );
    at += 8 + packed;
  }
  return chunks;
}

function threeBytes(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
}

/** Every first byte of four, then every second, and so on, back into their places. */
function ungroup(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length);
  let from = 0;
  for (let lane = 0; lane < 4; lane++) {
    for (let to = lane; to < whole.length; to += 4) whole[to] = bytes[from++]!;
  }
  return whole;
}

/** An LZ4 frame without dictionary; checksums are not looked at, the file's SHA-256 is. */
function unpack(frame: Uint8Array, length: number): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const flags = frame[4]!;
  const out = new Uint8Array(length);
  let to = 0;
  // Magic, flags, block size, then the content's size where flagged, and the header's checksum.
  let at = 6 + ((flags & 8) === 0 ? 0 : 8) + 1;
  for (;;) {
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) break;
    const bytes = size & 0x7fffffff;
    const block = frame.subarray(at, at + bytes);
    if (size >= 0x80000000) {
      out.set(block, to);
      to += bytes;
    } else to = unpackBlock(block, out, to);
    at += bytes + ((flags & 16) === 0 ? 0 : 4);
  }
  return out.subarray(0, to);
}

/** Runs of literal bytes, each but the last followed by a copy of what came before. */
function unpackBlock(block: Uint8Array, out: Uint8Array, start: number): number {
  let [at, to] = [0, start];
  const runLength = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    let more: number;
    do {
      more = block[at++]!;
      length += more;
    } while (more === 255);
    return length;
  };
  while (at < block.length) {
    const token = block[at++]!;
    const literals = runLength(token >> 4);
    out.set(block.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    if (at >= block.length) break;
    const back = block[at]! | (block[at + 1]! << 8);
    at += 2;
    const end = to + runLength(token & 15) + 4;
    for (; to < end; to++) out[to] = out[to - back]!;
  }
  return to;
}
