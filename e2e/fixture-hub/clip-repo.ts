/** CLIP repos at their true widths, as transformers names tensors, with made-up weights. */
import { type FixtureFile, type FixtureFiles, memoryFile } from './content';
import { zooJson } from './zoo-files';
import { type SyntheticCheckpoint, syntheticFile, type SyntheticTensor } from './synthetic';

interface Tower {
  readonly width: number;
  readonly layers: number;
}

interface ClipShape {
  readonly text: Tower;
  readonly vision: Tower;
  readonly patch: number;
  readonly projection: number;
}

export const CLIP_SHAPES = {
  'vit-base-patch32': clip(512, { width: 768, layers: 12 }, 32),
  'vit-base-patch16': clip(512, { width: 768, layers: 12 }, 16),
  'vit-large-patch14': clip(768, { width: 1024, layers: 24 }, 14),
} as const;

export type ClipName = keyof typeof CLIP_SHAPES;

const IMAGE = 224;
const VOCABULARY = 49_408;
const POSITIONS = 77;
const START_OF_TEXT = 49_406;
const END_OF_TEXT = 49_407;

function clip(width: number, vision: Tower, patch: number): ClipShape {
  return { text: { width, layers: 12 }, vision, patch, projection: width };
}

function shapeOf(name: ClipName, layers?: number): ClipShape {
  const whole = CLIP_SHAPES[name];
  if (layers === undefined) return whole;
  return { ...whole, text: { ...whole.text, layers }, vision: { ...whole.vision, layers } };
}

export interface ClipRepo extends Omit<SyntheticCheckpoint, 'tensors'> {
  readonly shape: ClipName;
  /** `vision`: the vision tower alone, as fine-tunes of it are published. */
  readonly parts: 'all' | 'vision';
  /** Of each tower; default: all of them. */
  readonly layers?: number;
}

/** Weights and config.json; for a whole CLIP also what turns images and words into its inputs. */
export function clipFiles({ shape, parts, layers, ...weights }: ClipRepo): FixtureFiles {
  const tensors = clipTensors(shape, parts, layers);
  const files = new Map<string, FixtureFile>();
  const add = (path: string, content: unknown): void => {
    files.set(path, memoryFile(path, JSON.stringify(content, null, 2)));
  };
  add('config.json', clipConfig(shape, parts, layers));
  if (parts === 'all') {
    add('preprocessor_config.json', PREPROCESSOR);
    add('tokenizer.json', tokenizer());
    add('tokenizer_config.json', {
      ...zooJson('models/clip-tiny/tokenizer_config.json'),
      added_tokens_decoder: {},
      model_max_length: POSITIONS,
    });
  }
  files.set('model.safetensors', syntheticFile({ ...weights, tensors }));
  return files;
}

const PREPROCESSOR = {
  crop_size: { height: IMAGE, width: IMAGE },
  do_center_crop: true,
  do_convert_rgb: true,
  do_normalize: true,
  do_rescale: true,
  do_resize: true,
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_processor_type: 'CLIPImageProcessor',
  image_std: [0.26862954, 0.26130258, 0.27577711],
  resample: 3,
  rescale_factor: 1 / 255,
  size: { shortest_edge: IMAGE },
};

/** The zoo's, which knows few words, with start and end of text where CLIP has them. */
function tokenizer(): unknown {
  const small = zooJson('models/clip-tiny/tokenizer.json') as unknown as Tokenizer;
  const ids: Readonly<Record<string, number>> = {
    '<|startoftext|>': START_OF_TEXT,
    '<|endoftext|>': END_OF_TEXT,
  };
  const { model, post_processor: post, added_tokens: added } = small;
  return {
    ...small,
    added_tokens: added.map((token) => ({ ...token, id: ids[token.content] ?? token.id })),
    post_processor: {
      ...post,
      cls: ['<|startoftext|>', START_OF_TEXT],
      sep: ['<|endoftext|>', END_OF_TEXT],
    },
    model: { ...model, vocab: { ...model.vocab, ...ids } },
  };
}

interface Tokenizer {
  readonly added_tokens: readonly { readonly id: number; readonly content: string }[];
  readonly post_processor: object;
  readonly model: { readonly vocab: Readonly<Record<string, number>> };
}

/** Names and shapes, sorted as the safetensors package writes them. */
export function clipTensors(
  name: ClipName,
  parts: ClipRepo['parts'],
  layerCount?: number,
): SyntheticTensor[] {
  const { text, vision, patch, projection } = shapeOf(name, layerCount);
  const tensors: SyntheticTensor[] = [
    { name: 'vision_model.embeddings.class_embedding', shape: [vision.width] },
    {
      name: 'vision_model.embeddings.patch_embedding.weight',
      shape: [vision.width, 3, patch, patch],
    },
    {
      name: 'vision_model.embeddings.position_embedding.weight',
      shape: [(IMAGE / patch) ** 2 + 1, vision.width],
    },
    ...norm('vision_model.pre_layrnorm', vision.width),
    ...norm('vision_model.post_layernorm', vision.width),
    ...layers('vision_model', vision),
  ];
  if (parts === 'all') {
    tensors.push(
      { name: 'logit_scale', shape: [] },
      { name: 'text_projection.weight', shape: [projection, text.width] },
      { name: 'visual_projection.weight', shape: [projection, vision.width] },
      {
        name: 'text_model.embeddings.token_embedding.weight',
        shape: [VOCABULARY, text.width],
      },
      {
        name: 'text_model.embeddings.position_embedding.weight',
        shape: [POSITIONS, text.width],
      },
      ...norm('text_model.final_layer_norm', text.width),
      ...layers('text_model', text),
    );
  }
  return tensors.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function layers(tower: string, { width, layers: count }: Tower): SyntheticTensor[] {
  return Array.from({ length: count }, (_, i) => `${tower}.encoder.layers.${i}`).flatMap((at) => [
    ...norm(`${at}.layer_norm1`, width),
    ...norm(`${at}.layer_norm2`, width),
    ...linear(`${at}.mlp.fc1`, 4 * width, width),
    ...linear(`${at}.mlp.fc2`, width, 4 * width),
    ...['k', 'out', 'q', 'v'].flatMap((p) => linear(`${at}.self_attn.${p}_proj`, width, width)),
  ]);
}

function linear(name: string, rows: number, columns: number): SyntheticTensor[] {
  return [
    { name: `${name}.bias`, shape: [rows] },
    { name: `${name}.weight`, shape: [rows, columns] },
  ];
}

function norm(name: string, width: number): SyntheticTensor[] {
  return ['bias', 'weight'].map((part) => ({ name: `${name}.${part}`, shape: [width] }));
}

function clipConfig(name: ClipName, parts: ClipRepo['parts'], layerCount?: number): unknown {
  const { text, vision, patch, projection } = shapeOf(name, layerCount);
  const tower = ({ width, layers: count }: Tower): Record<string, unknown> => ({
    hidden_size: width,
    intermediate_size: 4 * width,
    num_attention_heads: width / 64,
    num_hidden_layers: count,
    hidden_act: 'quick_gelu',
    layer_norm_eps: 1e-5,
    projection_dim: projection,
  });
  const visionConfig = { ...tower(vision), image_size: IMAGE, patch_size: patch, num_channels: 3 };
  if (parts === 'vision') {
    const architectures = ['CLIPVisionModel'];
    return { architectures, model_type: 'clip_vision_model', ...visionConfig };
  }
  return {
    architectures: ['CLIPModel'],
    model_type: 'clip',
    projection_dim: projection,
    logit_scale_init_value: 2.6592,
    text_config: {
      ...tower(text),
      vocab_size: VOCABULARY,
      max_position_embeddings: POSITIONS,
      bos_token_id: START_OF_TEXT,
      eos_token_id: END_OF_TEXT,
    },
    vision_config: visionConfig,
  };
}
