/**
 * From image files to the numbers a CLIP model sees: decode, resize, centre crop, rescale and
 * normalise, as transformers' CLIPImageProcessor does on Pillow.
 */
import { PeruError } from '@/core/errors';
import { decodeImage } from './decode-image';
import { type PreprocessorConfig, type ResizeTarget } from './preprocessor-config';
import { resize, type RgbImage } from './resize';

const CHANNELS = 3;
const LEVELS = 256;
/** Images decoded at the same time: the browser decodes on other threads. */
const DECODE_TOGETHER = 32;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Pixels of several images of one size: [count, 3, height, width]. */
export interface PixelBatch extends Size {
  readonly count: number;
  readonly data: Float32Array;
}

/**
 * Decodes and preprocesses images, in order.
 *
 * @param images whole image files
 * @throws PeruError 'parse' when an image cannot be decoded, 'mismatch' when images end up in
 *   different sizes (a repo with neither crop nor fixed size); AbortError once `signal` aborts
 */
export async function preprocessImages(
  images: readonly Uint8Array[],
  config: PreprocessorConfig,
  signal?: AbortSignal,
): Promise<PixelBatch> {
  const decoded: RgbImage[] = [];
  for (let start = 0; start < images.length; start += DECODE_TOGETHER) {
    signal?.throwIfAborted();
    const group = images.slice(start, start + DECODE_TOGETHER);
    const labels = group.map((_, offset) => `Image ${start + offset + 1}`);
    const rgb = await Promise.all(group.map((file, i) => decodeImage(file, labels[i]!)));
    for (const image of rgb) decoded.push(resizeTo(image, config.resize));
  }
  return toPixels(decoded, config);
}

/** Resizes as the repo says; without a resize step, the image itself. */
function resizeTo(image: RgbImage, step: PreprocessorConfig['resize']): RgbImage {
  if (step === null) return image;
  const { width, height } = targetSize(image, step.target);
  return resize(image, width, height, step.filter);
}

/** Size after the resize step: the long edge is cut to whole pixels, as transformers does. */
export function targetSize(image: Size, target: ResizeTarget): Size {
  if (!('shortestEdge' in target)) return target;
  const { shortestEdge } = target;
  const short = Math.min(image.width, image.height);
  const long = Math.trunc((shortestEdge * Math.max(image.width, image.height)) / short);
  return image.width <= image.height
    ? { width: shortestEdge, height: long }
    : { width: long, height: shortestEdge };
}

/** Crops, rescales and normalises 8-bit images into one batch. */
export function toPixels(images: readonly RgbImage[], config: PreprocessorConfig): PixelBatch {
  const { width, height } = config.crop ?? images[0] ?? { width: 0, height: 0 };
  const imageLength = CHANNELS * width * height;
  const batch: PixelBatch = {
    count: images.length,
    width,
    height,
    data: new Float32Array(images.length * imageLength),
  };
  const levels = levelTable(config);
  for (const [index, image] of images.entries()) {
    if (config.crop === null && (image.width !== width || image.height !== height)) {
      throw unequalSizes(image, batch);
    }
    writeCropped(image, batch, index * imageLength, levels);
  }
  return batch;
}

/** The value of each 8-bit level in each channel, in float32 steps like numpy's. */
function levelTable({ rescale, normalize }: PreprocessorConfig): Float32Array {
  const table = new Float32Array(CHANNELS * LEVELS);
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let level = 0; level < LEVELS; level++) {
      let value = Math.fround(rescale === null ? level : level * rescale);
      if (normalize !== null) {
        const centered = Math.fround(value - Math.fround(normalize.mean[channel]!));
        value = centered / Math.fround(normalize.std[channel]!);
      }
      table[channel * LEVELS + level] = value;
    }
  }
  return table;
}

/** Copies the centre of `image`; where the crop is larger than the image, level 0 is around it. */
function writeCropped(
  image: RgbImage,
  batch: PixelBatch,
  offset: number,
  levels: Float32Array,
): void {
  const { width, height } = batch;
  const left = Math.floor((image.width - width) / 2);
  const top = Math.floor((image.height - height) / 2);
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let y = 0; y < height; y++) {
      const rowInside = y + top >= 0 && y + top < image.height;
      const source = (y + top) * image.width + left;
      const target = offset + (channel * height + y) * width;
      for (let x = 0; x < width; x++) {
        const inside = rowInside && x + left >= 0 && x + left < image.width;
        const level = inside ? image.data[(source + x) * CHANNELS + channel]! : 0;
        batch.data[target + x] = levels[channel * LEVELS + level]!;
      }
    }
  }
}

function unequalSizes(image: Size, first: Size): PeruError {
  return new PeruError(
    'mismatch',
    `The data set's images differ in size (${first.width} x ${first.height} and ${image.width} x ${image.height}) and preprocessor_config.json neither resizes nor crops them.`,
    'Use a base model whose preprocessing brings images to one size.',
  );
}
