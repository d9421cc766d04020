/**
 * Headers of models as people publish them: names, shapes and dtypes as transformers writes them,
 * without a byte of weights.
 */
import { bitsPerElement, type SafetensorsDtype } from '@/tensor/safetensors-dtype';
import { type PlannedCheckpoint, type PlannedTensor } from './checkpoint-facts';

export type Shapes = Readonly<Record<string, readonly number[]>>;

export function header(
  name: string,
  shapes: Shapes,
  dtype: SafetensorsDtype = 'F32',
  integers: Shapes = {},
): PlannedCheckpoint {
  const tensors = [
    ...Object.entries(shapes).map(([key, shape]) => [key, plannedTensor(dtype, shape)] as const),
    ...Object.entries(integers).map(([key, shape]) => [key, plannedTensor('I64', shape)] as const),
  ];
  return { name, tensors: new Map(tensors) };
}

export function plannedTensor(dtype: SafetensorsDtype, shape: readonly number[]): PlannedTensor {
  const elementCount = shape.reduce((a, b) => a * b, 1);
  return { dtype, shape, elementCount, byteLength: (elementCount * bitsPerElement(dtype)) / 8 };
}

/** Every name with a prefix before it. */
export function behind(prefix: string, shapes: Shapes): Shapes {
  return Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [prefix + key, shape]));
}

/** All names but these. */
export function without(shapes: Shapes, ...names: readonly string[]): Shapes {
  return Object.fromEntries(Object.entries(shapes).filter(([name]) => !names.includes(name)));
}

/** `from` in the place of `to` in every name that has it. */
export function replaced(shapes: Shapes, from: RegExp, to: string): Shapes {
  return Object.fromEntries(
    Object.entries(shapes).map(([key, shape]) => [key.replace(from, to), shape]),
  );
}

function linear(name: string, out: number, input: number): Shapes {
  return { [`${name}.weight`]: [out, input], [`${name}.bias`]: [out] };
}

function norm(name: string, width: number): Shapes {
  return { [`${name}.weight`]: [width], [`${name}.bias`]: [width] };
}

function layers(count: number, layer: (index: number) => Shapes): Shapes {
  return Object.assign({}, ...Array.from({ length: count }, (_, i) => layer(i))) as Shapes;
}

/** `encoder.layers.*` of a tower of CLIP. */
export function clipLayers(count: number, width: number): Shapes {
  return layers(count, (i) => {
    const at = `encoder.layers.${i}`;
    return {
      ...layers(4, (j) => {
        const projection = ['k_proj', 'v_proj', 'q_proj', 'out_proj'][j]!;
        return linear(`${at}.self_attn.${projection}`, width, width);
      }),
      ...norm(`${at}.layer_norm1`, width),
      ...linear(`${at}.mlp.fc1`, 4 * width, width),
      ...linear(`${at}.mlp.fc2`, width, 4 * width),
      ...norm(`${at}.layer_norm2`, width),
    };
  });
}

/** CLIP's vision tower, 199 tensors for twelve layers. */
export function clipVision(size = { layers: 12, width: 768, patch: 32, positions: 50 }): Shapes {
  return {
    'embeddings.class_embedding': [size.width],
    'embeddings.patch_embedding.weight': [size.width, 3, size.patch, size.patch],
    'embeddings.position_embedding.weight': [size.positions, size.width],
    ...norm('pre_layrnorm', size.width),
    ...clipLayers(size.layers, size.width),
    ...norm('post_layernorm', size.width),
  };
}

export function clipText(size = { layers: 12, width: 512, vocabulary: 49408 }): Shapes {
  return {
    'embeddings.token_embedding.weight': [size.vocabulary, size.width],
    'embeddings.position_embedding.weight': [77, size.width],
    ...clipLayers(size.layers, size.width),
    ...norm('final_layer_norm', size.width),
  };
}

/** openai/clip-vit-base-patch32 as the converter saved it, or another size. */
export function clipShapes(vision = clipVision(), text = clipText()): Shapes {
  return {
    logit_scale: [],
    ...behind('text_model.', text),
    'text_projection.weight': [512, 512],
    ...behind('vision_model.', vision),
    'visual_projection.weight': [512, 768],
  };
}

export const CLIP_IDS: Shapes = {
  'text_model.embeddings.position_ids': [1, 77],
  'vision_model.embeddings.position_ids': [1, 50],
};

/** A T5 v1.1 (Flan) of any size; `shared` and the head are of their own, copies on top. */
export function t5Shapes(
  size = { layers: 12, width: 768, inner: 2048, vocabulary: 32128 },
  stored: readonly ('shared' | 'encoder' | 'decoder' | 'head')[] = ['shared', 'head'],
): Shapes {
  const { width, inner, vocabulary } = size;
  const attention = (at: string): Shapes =>
    layers(4, (j) => ({ [`${at}.${['k', 'o', 'q', 'v'][j]!}.weight`]: [width, width] }));
  const feedForward = (at: string): Shapes => ({
    [`${at}.DenseReluDense.wi_0.weight`]: [inner, width],
    [`${at}.DenseReluDense.wi_1.weight`]: [inner, width],
    [`${at}.DenseReluDense.wo.weight`]: [width, inner],
    [`${at}.layer_norm.weight`]: [width],
  });
  const stack = (side: 'encoder' | 'decoder'): Shapes => ({
    ...layers(size.layers, (i) => {
      const at = `${side}.block.${i}.layer`;
      const isDecoder = side === 'decoder';
      return {
        ...attention(`${at}.0.SelfAttention`),
        [`${at}.0.layer_norm.weight`]: [width],
        ...(isDecoder
          ? { ...attention(`${at}.1.EncDecAttention`), [`${at}.1.layer_norm.weight`]: [width] }
          : {}),
        ...feedForward(`${at}.${isDecoder ? 2 : 1}`),
      };
    }),
    [`${side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`]: [32, 12],
    [`${side}.final_layer_norm.weight`]: [width],
  });
  const table = [vocabulary, width];
  return {
    ...(stored.includes('shared') ? { 'shared.weight': table } : {}),
    ...(stored.includes('encoder') ? { 'encoder.embed_tokens.weight': table } : {}),
    ...(stored.includes('decoder') ? { 'decoder.embed_tokens.weight': table } : {}),
    ...stack('encoder'),
    ...stack('decoder'),
    ...(stored.includes('head') ? { 'lm_head.weight': table } : {}),
  };
}

/** BertModel: `embeddings`, `encoder`, `pooler`. */
export function bertShapes(size = { layers: 12, width: 768, vocabulary: 30522 }): Shapes {
  const { width } = size;
  return {
    'embeddings.word_embeddings.weight': [size.vocabulary, width],
    'embeddings.position_embeddings.weight': [512, width],
    'embeddings.token_type_embeddings.weight': [2, width],
    ...norm('embeddings.LayerNorm', width),
    ...layers(size.layers, (i) => {
      const at = `encoder.layer.${i}`;
      return {
        ...linear(`${at}.attention.self.query`, width, width),
        ...linear(`${at}.attention.self.key`, width, width),
        ...linear(`${at}.attention.self.value`, width, width),
        ...linear(`${at}.attention.output.dense`, width, width),
        ...norm(`${at}.attention.output.LayerNorm`, width),
        ...linear(`${at}.intermediate.dense`, 4 * width, width),
        ...linear(`${at}.output.dense`, width, 4 * width),
        ...norm(`${at}.output.LayerNorm`, width),
      };
    }),
    ...linear('pooler.dense', width, width),
  };
}

export function classifier(classes: number, width = 768): Shapes {
  return linear('classifier', classes, width);
}

/** BERT's head for masked words, whose decoder is its embedding. */
export function maskedWordHead(vocabulary = 30522, width = 768): Shapes {
  return {
    'cls.predictions.bias': [vocabulary],
    ...linear('cls.predictions.transform.dense', width, width),
    ...norm('cls.predictions.transform.LayerNorm', width),
    ...linear('cls.predictions.decoder', vocabulary, width),
  };
}

/** GPT2Model without prefix, as openai-community/gpt2 is stored. */
export function gpt2Shapes(vocabulary = 50257): Shapes {
  return {
    'wte.weight': [vocabulary, 768],
    'wpe.weight': [1024, 768],
    ...layers(12, (i) => ({
      ...norm(`h.${i}.ln_1`, 768),
      [`h.${i}.attn.c_attn.weight`]: [768, 2304],
      [`h.${i}.attn.c_attn.bias`]: [2304],
      ...linear(`h.${i}.attn.c_proj`, 768, 768),
      ...norm(`h.${i}.ln_2`, 768),
      [`h.${i}.mlp.c_fc.weight`]: [768, 3072],
      [`h.${i}.mlp.c_fc.bias`]: [3072],
      [`h.${i}.mlp.c_proj.weight`]: [3072, 768],
      [`h.${i}.mlp.c_proj.bias`]: [768],
    })),
    ...norm('ln_f', 768),
  };
}
