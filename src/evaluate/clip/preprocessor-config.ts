/** A repo's preprocessor_config.json, checked; what Peru does not do is refused by name. */
import { PeruError } from '@/core/errors';
import { type ResampleFilter } from './resize';

export type ResizeTarget =
  { readonly shortestEdge: number } | { readonly width: number; readonly height: number };

/** Steps in the order they are taken; null where a step is switched off. */
export interface PreprocessorConfig {
  readonly resize: { readonly target: ResizeTarget; readonly filter: ResampleFilter } | null;
  readonly crop: { readonly width: number; readonly height: number } | null;
  /** Factor from 8-bit values, or null. */
  readonly rescale: number | null;
  /** Per channel, or null. */
  readonly normalize: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
}

type Json = Readonly<Record<string, unknown>>;

/** OpenAI CLIP's own, the defaults of CLIPImageProcessor. */
const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073];
const CLIP_STD = [0.26862954, 0.26130258, 0.27577711];
const DEFAULT_SIZE = 224;
const BICUBIC = 3;

/** Pillow's codes; nearest (0) is left out, as no CLIP repo uses it. */
const FILTERS = new Map<unknown, ResampleFilter>([
  [1, 'lanczos'],
  [2, 'bilinear'],
  [BICUBIC, 'bicubic'],
  [4, 'box'],
  [5, 'hamming'],
]);

/** The same steps under the names of transformers' three CLIP processors. */
const PROCESSORS: readonly unknown[] = [
  undefined,
  'CLIPImageProcessor',
  'CLIPImageProcessorFast',
  'CLIPFeatureExtractor',
];

/** Steps of other processors that would change the pixels if they were on. */
const FOREIGN_STEPS = ['do_pad', 'do_flip_channel_order', 'do_thumbnail', 'do_align_long_axis'];

/**
 * Reads the preprocessor_config.json of a CLIP repo; keys left out take the defaults of
 * transformers' CLIPImageProcessor.
 *
 * @throws PeruError 'unsupported' for settings Peru does not do, 'parse' for values of a wrong type
 */
export function readPreprocessorConfig(config: unknown): PreprocessorConfig {
  const json = asObject(config, 'the file');
  const type = json['image_processor_type'] ?? json['feature_extractor_type'];
  if (!PROCESSORS.includes(type)) throw unsupported('image_processor_type', type);
  for (const key of FOREIGN_STEPS) if (isOn(json, key, false)) throw unsupported(key, true);
  return {
    resize: isOn(json, 'do_resize', true)
      ? { target: readSize(json['size']), filter: readFilter(json['resample']) }
      : null,
    crop: isOn(json, 'do_center_crop', true) ? readCrop(json['crop_size']) : null,
    rescale: isOn(json, 'do_rescale', true) ? readFactor(json['rescale_factor']) : null,
    normalize: isOn(json, 'do_normalize', true)
      ? {
          mean: readChannels(json, 'image_mean', CLIP_MEAN),
          std: readChannels(json, 'image_std', CLIP_STD),
        }
      : null,
  };
}

function readSize(size: unknown): ResizeTarget {
  if (size === undefined || size === null) return { shortestEdge: DEFAULT_SIZE };
  // Old files give the shortest edge as a bare number.
  if (typeof size === 'number') return { shortestEdge: positiveInteger(size, 'size') };
  const json = asObject(size, 'size');
  if (json['longest_edge'] !== undefined)
    throw unsupported('size.longest_edge', json['longest_edge']);
  return json['shortest_edge'] === undefined
    ? readRectangle(json, 'size')
    : { shortestEdge: positiveInteger(json['shortest_edge'], 'size.shortest_edge') };
}

function readCrop(size: unknown): { width: number; height: number } {
  if (size === undefined || size === null) return { width: DEFAULT_SIZE, height: DEFAULT_SIZE };
  if (typeof size !== 'number') return readRectangle(asObject(size, 'crop_size'), 'crop_size');
  const side = positiveInteger(size, 'crop_size');
  return { width: side, height: side };
}

function readRectangle(json: Json, key: string): { width: number; height: number } {
  return {
    width: positiveInteger(json['width'], `${key}.width`),
    height: positiveInteger(json['height'], `${key}.height`),
  };
}

function readFilter(resample: unknown): ResampleFilter {
  const filter = FILTERS.get(resample ?? BICUBIC);
  if (filter === undefined) throw unsupported('resample', resample);
  return filter;
}

function readFactor(factor: unknown): number {
  const value = factor ?? 1 / 255;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong('rescale_factor', value);
  return value;
}

function readChannels(json: Json, key: string, fallback: readonly number[]): readonly number[] {
  const value = json[key] ?? fallback;
  const isTriple =
    Array.isArray(value) &&
    value.length === 3 &&
    value.every((entry): entry is number => typeof entry === 'number' && Number.isFinite(entry));
  if (!isTriple || (key === 'image_std' && value.includes(0))) throw wrong(key, value);
  return value;
}

function isOn(json: Json, key: string, fallback: boolean): boolean {
  const value = json[key] ?? fallback;
  if (typeof value !== 'boolean') throw wrong(key, value);
  return value;
}

function positiveInteger(value: unknown, key: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value <= 0) {
    throw wrong(key, value);
  }
  return value;
}

function asObject(value: unknown, key: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(key, value);
  return value as Json;
}

function wrong(key: string, value: unknown): PeruError {
  return new PeruError(
    'parse',
    `preprocessor_config.json: ${key} is ${JSON.stringify(value)}, which is not a value it can have.`,
    'Take preprocessor_config.json from the same repo as the base model.',
  );
}

function unsupported(key: string, value: unknown): PeruError {
  return new PeruError(
    'unsupported',
    `preprocessor_config.json: ${key} is ${JSON.stringify(value)}, which Peru does not do, so accuracy cannot be computed.`,
    'Use a base model with the preprocessing of CLIPImageProcessor.',
  );
}
