/**
 * Pillow's resampling of 8-bit images, bit for bit (Pillow, src/libImaging/Resample.c): an
 * antialiased separable filter in fixed point, rounded to 8 bits after each of its two passes.
 * Canvas scaling differs by several levels, which moves accuracies.
 */

/** Interleaved 8-bit RGB, row-major: `data[(y * width + x) * 3 + channel]`. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** Filters by their names in Pillow. */
export type ResampleFilter = 'lanczos' | 'bilinear' | 'bicubic' | 'box' | 'hamming';

const CHANNELS = 3;
/** Fractional bits of a weight: 32, less 8 of the pixel and 2 of headroom. */
const PRECISION_BITS = 22;
const HALF = 1 << (PRECISION_BITS - 1);

interface Filter {
  /** The filter is zero outside [-support, support]. */
  readonly support: number;
  readonly weight: (x: number) => number;
}

const FILTERS: Readonly<Record<ResampleFilter, Filter>> = {
  box: { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  hamming: { support: 1, weight: hamming },
  bicubic: { support: 2, weight: bicubic },
  lanczos: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** `image` at another size, as `PIL.Image.resize` gives it; at its own size, the image itself. */
export function resize(
  image: RgbImage,
  width: number,
  height: number,
  filter: ResampleFilter,
): RgbImage {
  const across = width === image.width ? image : resizeRows(image, width, FILTERS[filter]);
  return height === image.height ? across : resizeColumns(across, height, FILTERS[filter]);
}

/** For each output position: the first input it reads, how many, and their fixed-point weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `stride` weights an output position, of which `count` are used. */
  readonly weights: Int32Array;
  readonly stride: number;
}

function computeTaps(inSize: number, outSize: number, filter: Filter): Taps {
  const scale = inSize / outSize;
  // Shrinking widens the filter (antialiasing); enlarging leaves it one input pixel wide.
  const filterScale = Math.max(1, scale);
  const support = filter.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const taps: Taps = {
    first: new Int32Array(outSize),
    count: new Int32Array(outSize),
    weights: new Int32Array(outSize * stride),
    stride,
  };
  const weights = new Float64Array(stride);
  for (let out = 0; out < outSize; out++) {
    const center = (out + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const count = Math.min(inSize, Math.trunc(center + support + 0.5)) - first;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      weights[i] = filter.weight((i + first - center + 0.5) * (1 / filterScale));
      sum += weights[i]!;
    }
    taps.first[out] = first;
    taps.count[out] = count;
    // Times the inverse, as Pillow does: a quotient may round to the other side.
    const inverse = sum === 0 ? 1 : 1 / sum;
    for (let i = 0; i < count; i++) taps.weights[out * stride + i] = toFixed(weights[i]! * inverse);
  }
  return taps;
}

/** Rounds half away from zero, as C's cast after adding 0.5 does. */
function toFixed(weight: number): number {
  return Math.trunc(weight * (1 << PRECISION_BITS) + (weight < 0 ? -0.5 : 0.5));
}

function resizeRows(image: RgbImage, width: number, filter: Filter): RgbImage {
  const { first, count, weights, stride } = computeTaps(image.width, width, filter);
  const data = new Uint8ClampedArray(width * image.height * CHANNELS);
  for (let y = 0; y < image.height; y++) {
    const row = y * image.width * CHANNELS;
    for (let x = 0; x < width; x++) {
      const source = row + first[x]! * CHANNELS;
      const target = (y * width + x) * CHANNELS;
      for (let channel = 0; channel < CHANNELS; channel++) {
        let sum = HALF;
        for (let i = 0; i < count[x]!; i++) {
          sum += image.data[source + i * CHANNELS + channel]! * weights[x * stride + i]!;
        }
        data[target + channel] = sum >> PRECISION_BITS;
      }
    }
  }
  return { width, height: image.height, data };
}

function resizeColumns(image: RgbImage, height: number, filter: Filter): RgbImage {
  const { first, count, weights, stride } = computeTaps(image.height, height, filter);
  const rowLength = image.width * CHANNELS;
  const data = new Uint8ClampedArray(rowLength * height);
  for (let y = 0; y < height; y++) {
    const source = first[y]! * rowLength;
    for (let x = 0; x < rowLength; x++) {
      let sum = HALF;
      for (let i = 0; i < count[y]!; i++) {
        sum += image.data[source + i * rowLength + x]! * weights[y * stride + i]!;
      }
      data[y * rowLength + x] = sum >> PRECISION_BITS;
    }
  }
  return { width: image.width, height, data };
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

function hamming(x: number): number {
  const distance = Math.abs(x);
  if (distance === 0) return 1;
  if (distance >= 1) return 0;
  return sinc(distance) * (0.54 + 0.46 * Math.cos(distance * Math.PI));
}

/** Keys' cubic with a = -0.5. */
function bicubic(x: number): number {
  const a = -0.5;
  const distance = Math.abs(x);
  if (distance < 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
  if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * a;
  return 0;
}
