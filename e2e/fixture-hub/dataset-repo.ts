/** Data set repos as `datasets` pushes them, with small pictures and sentences made up on the fly. */
import { crc32, deflateSync } from 'node:zlib';
import { type FixtureFiles, type FixtureRepo, memoryFiles, repoOf } from './content';
import { type ParquetColumn, writeParquet } from './parquet-writer';

export interface ImageSet {
  /** Of the repo, `owner/name`. */
  readonly id: string;
  /** Default: `data`. */
  readonly folder?: string;
  readonly classCount: number;
  readonly rows: number;
  /** Default: 1. */
  readonly shards?: number;
  /** Default: 100, as `datasets` has it for images. */
  readonly rowsPerGroup?: number;
  /** Edge of a picture, in pixels; default 32. */
  readonly edge?: number;
  /** Noise makes pictures large; default false: a few hundred bytes each. */
  readonly noisy?: boolean;
  /** Rows in the order of their labels; default: labels in turn. */
  readonly sorted?: boolean;
  /** Default `rgb`. */
  readonly colours?: PngColours;
  /** Default true, as pyarrow writes. */
  readonly dictionary?: boolean;
}

/** A repo whose test split holds pictures with class labels. */
export function imageSetRepo(set: ImageSet): FixtureRepo {
  const { id, folder = 'data', classCount, rows, shards = 1, rowsPerGroup = 100 } = set;
  const { dictionary = true } = set;
  const names = Array.from({ length: classCount }, (_, label) => `class ${label}`);
  const features = { image: { _type: 'Image' }, label: { _type: 'ClassLabel', names } };
  const files: Record<string, Uint8Array | string> = { 'README.md': '---\nlicense: mit\n---\n' };
  for (let shard = 0; shard < shards; shard++) {
    const from = Math.floor((shard * rows) / shards);
    const to = Math.floor(((shard + 1) * rows) / shards);
    const own = Array.from({ length: to - from }, (_, i) => from + i);
    const columns: ParquetColumn[] = [
      { path: ['image', 'bytes'], kind: 'bytes', values: own.map((row) => pictureOf(set, row)) },
      { path: ['image', 'path'], kind: 'text', values: own.map((row) => `${row}.png`) },
      { path: ['label'], kind: 'int', values: own.map((row) => labelOf(set, row)) },
    ];
    const path = `${folder}/${shardName('test', shard, shards)}`;
    files[path] = writeParquet(columns, { rowsPerGroup, dictionary, snappy: true, features });
  }
  return repoOf(id, memoryFiles(files));
}

/** The label that a row of a set has. */
export function labelOf({ classCount, rows, sorted }: ImageSet, row: number): number {
  return sorted === true ? Math.floor((row * classCount) / rows) : row % classCount;
}

/** The file of a row's picture. */
export function pictureOf(set: ImageSet, row: number): Uint8Array {
  const { edge = 32, noisy = false, colours = 'rgb' } = set;
  const drawing = { edge, colours, seed: row * 7919 + labelOf(set, row), noisy };
  const key = JSON.stringify(drawing);
  const drawn = DRAWN.get(key) ?? drawPng(drawing);
  DRAWN.set(key, drawn);
  return drawn;
}

/** Sets share pictures, and tests ask for them again. */
const DRAWN = new Map<string, Uint8Array>();

export type PngColours = 'grey' | 'rgb' | 'rgba';

const CHANNELS: Readonly<Record<PngColours, number>> = { grey: 1, rgb: 3, rgba: 4 };
const COLOUR_TYPES: Readonly<Record<PngColours, number>> = { grey: 0, rgb: 2, rgba: 6 };

interface Drawing {
  readonly edge: number;
  readonly colours: PngColours;
  readonly seed: number;
  readonly noisy: boolean;
}

/** A PNG of stripes whose colour and direction follow from the seed. */
function drawPng({ edge, colours, seed, noisy }: Drawing): Uint8Array {
  const channels = CHANNELS[colours];
  const raw = new Uint8Array(edge * (1 + edge * channels));
  for (let y = 0; y < edge; y++) {
    const line = y * (1 + edge * channels) + 1;
    for (let x = 0; x < edge; x++) {
      for (let c = 0; c < channels; c++) {
        const stripe = ((x * (seed % 5) + y * (seed % 3)) >> 2) % 2;
        const noise = noisy ? Math.imul(seed + 31 * x + 977 * y + c, 0x9e37_79b1) >>> 24 : 0;
        // The seed's bits along the upper edge: no two pictures are the same.
        const mark = y === 0 ? ((seed >> (x % 31)) & 1) * 64 : 0;
        const value = stripe * 100 + ((seed >> (2 * c)) & 63) + mark + noise;
        raw[line + x * channels + c] = c === 3 ? 255 : value & 255;
      }
    }
  }
  const header = Uint8Array.from([...u32(edge), ...u32(edge), 8, COLOUR_TYPES[colours], 0, 0, 0]);
  const signature = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  const parts = [
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(raw, { level: 1 })),
    chunk('IEND'),
  ];
  return new Uint8Array(Buffer.concat(parts));
}

function chunk(type: string, data: Uint8Array = new Uint8Array()): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([
    Uint8Array.from(u32(data.length)),
    body,
    Uint8Array.from(u32(crc32(body))),
  ]);
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

export interface TextSplit {
  /** Folder of the repo: the configuration. */
  readonly folder: string;
  readonly split: string;
  readonly columns: readonly string[];
  /** 0: numbers from 0 to 5. */
  readonly classCount: number;
  readonly rows: number;
}

/** A repo with configurations of sentences, as GLUE is laid out. */
export function textSetRepo(id: string, splits: readonly TextSplit[]): FixtureRepo {
  return repoOf(id, textSetFiles(splits));
}

function textSetFiles(splits: readonly TextSplit[]): FixtureFiles {
  const files: Record<string, Uint8Array> = {};
  for (const { folder, split, columns, classCount, rows } of splits) {
    const own = Array.from({ length: rows }, (_, row) => row);
    const texts = columns.map((name, i): ParquetColumn => {
      return { path: [name], kind: 'text', values: own.map((row) => sentence(row * 3 + i)) };
    });
    const names = Array.from({ length: classCount }, (_, label) => `class ${label}`);
    const features: Record<string, unknown> = {};
    for (const name of columns) features[name] = { _type: 'Value', dtype: 'string' };
    features['label'] =
      classCount === 0 ? { _type: 'Value', dtype: 'float32' } : { _type: 'ClassLabel', names };
    const labels: ParquetColumn = {
      path: ['label'],
      kind: classCount === 0 ? 'double' : 'int',
      values: own.map((row) => (classCount === 0 ? (row % 26) / 5 : row % classCount)),
    };
    files[`${folder}/${shardName(split, 0, 1)}`] = writeParquet([...texts, labels], {
      rowsPerGroup: 1000,
      snappy: true,
      features,
    });
  }
  return memoryFiles(files);
}

const WORDS = ['the', 'small', 'grey', 'cat', 'sees', 'a', 'red', 'house', 'near', 'water'];

function sentence(seed: number): string {
  return Array.from({ length: 6 }, (_, i) => WORDS[(seed * (i + 3)) % WORDS.length]!).join(' ');
}

function shardName(split: string, shard: number, shards: number): string {
  const number = (value: number): string => String(value).padStart(5, '0');
  return `${split}-${number(shard)}-of-${number(shards)}.parquet`;
}
