/** What the graphs need of a CLIP repo's config.json, checked; all else is refused by name. */
import { type PeruError } from '@/core/errors';
import {
  asObject,
  type Json,
  positive,
  positiveNumber,
  seenModelType,
  unsupportedConfig,
} from '@/evaluate/runtime/config-json';

export type Activation = 'quick_gelu' | 'gelu';

/** One transformer tower: `hiddenSize` = heads x head size. */
export interface TowerConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly layerNormEpsilon: number;
  readonly activation: Activation;
}

export interface VisionConfig extends TowerConfig {
  readonly channelCount: number;
  /** Pixels on a side; images are square. */
  readonly imageSize: number;
  readonly patchSize: number;
}

export interface TextConfig extends TowerConfig {
  readonly vocabularySize: number;
  /** Most tokens a prompt may have. */
  readonly contextLength: number;
  /** As written: 2 is the legacy value, which means "pool at the largest id". */
  readonly endOfTextId: number;
}

export interface ClipConfig {
  readonly projectionSize: number;
  readonly vision: VisionConfig;
  readonly text: TextConfig;
}

/**
 * Reads the config.json of a CLIPModel. Keys a repo leaves out take transformers' defaults
 * (configuration_clip.py), which are those of ViT-B/32.
 *
 * @throws PeruError 'unsupported' for another kind of model or setting, 'parse' for a value of the wrong type
 */
export function readClipConfig(config: unknown): ClipConfig {
  const root = asObject(config, 'the file');
  if (root['model_type'] !== 'clip') throw notClip(root);
  const vision = towerSettings(root, 'vision_config');
  const text = towerSettings(root, 'text_config');
  return {
    projectionSize: positive(root, 'projection_dim', 512),
    vision: readVision(vision),
    text: readText(text),
  };
}

/** Image tokens of one picture: the patches and the class token. */
export function visionTokenCount(vision: VisionConfig): number {
  return (vision.imageSize / vision.patchSize) ** 2 + 1;
}

/**
 * Early repos say it twice: where `KEY_dict` stands, transformers takes it and its defaults, and
 * nothing of `KEY`.
 */
function towerSettings(root: Json, key: string): Json {
  return asObject(root[`${key}_dict`] ?? root[key] ?? {}, key);
}

function readVision(vision: Json): VisionConfig {
  const imageSize = positive(vision, 'image_size', 224);
  const patchSize = positive(vision, 'patch_size', 32);
  if (imageSize % patchSize !== 0) {
    throw unsupported(`patch_size ${patchSize} does not divide image_size ${imageSize}`);
  }
  const channelCount = positive(vision, 'num_channels', 3);
  if (channelCount !== 3) throw unsupported(`num_channels is ${channelCount}, not 3`);
  const defaults = { hiddenSize: 768, intermediateSize: 3072, headCount: 12 };
  return {
    ...readTower(vision, defaults),
    channelCount,
    imageSize,
    patchSize,
  };
}

function readText(text: Json): TextConfig {
  const defaults = { hiddenSize: 512, intermediateSize: 2048, headCount: 8 };
  return {
    ...readTower(text, defaults),
    vocabularySize: positive(text, 'vocab_size', 49408),
    contextLength: positive(text, 'max_position_embeddings', 77),
    endOfTextId: positive(text, 'eos_token_id', 49407),
  };
}

function readTower(
  tower: Json,
  defaults: { hiddenSize: number; intermediateSize: number; headCount: number },
): TowerConfig {
  const hiddenSize = positive(tower, 'hidden_size', defaults.hiddenSize);
  const headCount = positive(tower, 'num_attention_heads', defaults.headCount);
  if (hiddenSize % headCount !== 0) {
    throw unsupported(`num_attention_heads ${headCount} does not divide hidden_size ${hiddenSize}`);
  }
  return {
    hiddenSize,
    headCount,
    intermediateSize: positive(tower, 'intermediate_size', defaults.intermediateSize),
    layerCount: positive(tower, 'num_hidden_layers', 12),
    layerNormEpsilon: positiveNumber(tower, 'layer_norm_eps', 1e-5),
    activation: readActivation(tower),
  };
}

function readActivation(tower: Json): Activation {
  const activation = tower['hidden_act'] ?? 'quick_gelu';
  if (activation === 'quick_gelu' || activation === 'gelu') return activation;
  throw unsupported(`hidden_act is ${JSON.stringify(activation)}, not quick_gelu or gelu`);
}

function unsupported(reason: string): PeruError {
  return unsupportedConfig(reason, 'a CLIP model');
}

function notClip(root: Json): PeruError {
  const isTower = root['model_type'] === 'clip_vision_model';
  const why = isTower ? ': it has no text tower to build the classes from' : ', not "clip"';
  return unsupported(`model_type is ${seenModelType(root)}${why}`);
}
