/**
 * What a group of checkpoints takes on the GPU, counted as its buffers are made: by the chunk maps,
 * the arenas and the tables. Buffers that operations lend wait for reuse, so where all weights stay
 * those of different operations lie side by side; a streamed group drops them when it needs room.
 */
import { bytesPerElement, type FloatDtype } from '@/tensor/dtype';
import { type MemoryNeeds, SELECTIONS_AT_ONCE } from '@/tensor/choose-plan';
import { type GroupShape } from '@/tensor/engine';
import { BLOCK_WORDS, blockCountOf } from '@/kernels/weights/blocks';
import { arenaRuns } from '@/kernels/weights/chunk-buffers';
import { type ChunkMap, chunkMaps } from '@/kernels/weights/chunk-map';
import { type Counting } from '@/kernels/weights/group-context';
import { KEPT_WORDS, PLACE_WORDS } from '@/kernels/operations/encode-windows';
import { DIGITS, JOINT_DIGIT, streamedCacheBytes } from '@/kernels/operations/histogram';
import { BLOCK_SCALE_BYTES, SCALE_WORDS } from '@/kernels/operations/kept-scales';
import { taskTableBytes } from '@/kernels/operations/merge';
import { STATE_WORDS } from '@/kernels/operations/select';
import { chunkWeightsBytes, stagingBytes } from '@/kernels/weights/staging';
import { STATS_WORDS } from '@/kernels/operations/measure';

/** Uniform records come in buffers of 256 with 256 bytes each (src/gpu/params.ts). */
const PARAMS_BUFFER_RECORDS = 256;
const PARAMS_BUFFER_BYTES = 65_536;
/** Records that a chunk and a group need once every operation has run. */
const RECORDS_A_CHUNK = 8;
const RECORDS_A_GROUP = 16;
const COUNT_BYTES = 4;

/**
 * Bytes by purpose.
 *
 * @param mergedDtype dtype of theta*
 * @param align `minStorageBufferOffsetAlignment` of the device
 */
export function groupNeeds(
  shape: GroupShape,
  mergedDtype: FloatDtype,
  counting: Counting,
  align: number,
): MemoryNeeds {
  const maps = chunkMaps(shape.layout, shape.chunks);
  const arenas = shape.chunks.map((chunk, c) => arenaRuns(chunk, maps[c]!, align).byteLength);
  const chunkPages = shape.chunks.map(({ dtypes }, c) => {
    const elementBytes = sum(dtypes.map(bytesPerElement));
    return maps[c]!.paddedCount * elementBytes;
  });
  const bases = shape.chunks.map(
    ({ dtypes }, c) => maps[c]!.paddedCount * bytesPerElement(dtypes[0]!),
  );
  const work = workBytes(shape, maps, counting);
  const [measure, encode] = [measureBytes(maps), encodeBytes(shape, maps)];
  return {
    merged: sum(maps.map(({ paddedCount }) => paddedCount * bytesPerElement(mergedDtype))),
    tables: tableBytes(shape, maps),
    weights: sum(bases) + sum(arenas),
    residentWork: sum(work) + measure.resident + encode.resident,
    pages: sum(chunkPages),
    largestChunk: most(chunkPages),
    streamedWork: Math.max(...work, measure.streamed, encode.streamed, most(arenas)),
  };
}

/** What lives as long as the group, weights aside. */
function tableBytes(shape: GroupShape, maps: readonly ChunkMap[]): number {
  const { layout, chunks, taskCount } = shape;
  const records = RECORDS_A_GROUP + RECORDS_A_CHUNK * chunks.length;
  const scopes = 1 + layout.tensors.length;
  return (
    4 * BLOCK_WORDS * blockCountOf(maps) +
    chunks.length * taskTableBytes(taskCount) +
    Math.ceil(records / PARAMS_BUFFER_RECORDS) * PARAMS_BUFFER_BYTES +
    streamedCacheBytes(shape) +
    SELECTIONS_AT_ONCE * 4 * STATE_WORDS * scopes
  );
}

/** Of each operation what it takes beside weights and tables. */
function workBytes({ layout }: GroupShape, maps: readonly ChunkMap[], counting: Counting) {
  const blocks = blockCountOf(maps);
  // So many at once count their last two digits as one; more of them take them one by one.
  const entries = layout.elementCount / Math.max(1, counting.jointFrom);
  const joint = Math.min(SELECTIONS_AT_ONCE, Math.floor(entries));
  const oneByOne = DIGITS[1].bins + DIGITS[2].bins;
  const perSelection = (1 + layout.tensors.length) * oneByOne + blocks;
  const jointly = joint * (JOINT_DIGIT.bins + DIGITS[1].bins);
  const select = COUNT_BYTES * (jointly + SELECTIONS_AT_ONCE * perSelection);
  // What is read back is copied once more.
  const mask = 2 * sum(bitBytes(maps));
  const weightsInMemory = 2 * chunkWeightsBytes(maps) + scaleBytes(layout);
  return [select, mask, weightsInMemory];
}

/**
 * What measuring selections takes. Where all weights stay, kept bits are those that masks left; else
 * all chunks share them. What is read back is copied once more.
 */
function measureBytes(maps: readonly ChunkMap[]) {
  const records = STATS_WORDS + KEPT_WORDS;
  const resident = SELECTIONS_AT_ONCE * 2 * 4 * records * blockCountOf(maps);
  return { resident, streamed: resident + most(bitBytes(maps)) };
}

/** Bytes of kept bits by chunk. */
function bitBytes(maps: readonly ChunkMap[]): number[] {
  return maps.map(({ paddedCount }) => 4 * Math.ceil(paddedCount / 32));
}

/**
 * What encoding kept entries and reading theta* take. Where all weights stay, most of it is what other
 * operations left: bits and counts have the sizes of masks and statistics, and so has what is read
 * back, that of weights in memory, unless chunks are large.
 */
function encodeBytes({ layout }: GroupShape, maps: readonly ChunkMap[]) {
  const blocks = blockCountOf(maps);
  const own = (4 * PLACE_WORDS + 2 * BLOCK_SCALE_BYTES) * blocks + scaleBytes(layout);
  const staging = 2 * stagingBytes(maps);
  const isShared = chunkWeightsBytes(maps) === stagingBytes(maps);
  return {
    resident: own + (isShared ? 0 : staging),
    streamed: own + staging + most(bitBytes(maps)) + 2 * 4 * KEPT_WORDS * blocks,
  };
}

function scaleBytes({ tensors }: GroupShape['layout']): number {
  return 4 * SCALE_WORDS * tensors.length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function most(numbers: readonly number[]): number {
  return numbers.reduce((largest, number) => Math.max(largest, number), 0);
}
