import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readClipConfig, visionTokenCount } from './clip-config';

const golden = JSON.parse(
  await readFile(new URL('../golden/gelu/config.json', import.meta.url), 'utf8'),
) as { vision_config: object; text_config: object };

/** ViT-L/14 as transformers wrote it in its first releases with CLIP, but for keys of no use. */
const CLIP_VIT_LARGE = {
  architectures: ['CLIPModel'],
  logit_scale_init_value: 2.6592,
  model_type: 'clip',
  projection_dim: 768,
  text_config: {
    architectures: null,
    bos_token_id: 0,
    eos_token_id: 2,
    hidden_act: 'quick_gelu',
    hidden_size: 768,
    intermediate_size: 3072,
    model_type: 'clip_text_model',
    num_attention_heads: 12,
    num_hidden_layers: 12,
    pad_token_id: 1,
  },
  text_config_dict: null,
  torch_dtype: 'float32',
  transformers_version: null,
  vision_config: { hidden_act: 'quick_gelu', image_size: 224, model_type: 'clip_vision_model' },
  vision_config_dict: {
    hidden_size: 1024,
    intermediate_size: 4096,
    num_attention_heads: 16,
    num_hidden_layers: 24,
    patch_size: 14,
  },
};

describe('readClipConfig', () => {
  it('reads what transformers wrote', () => {
    expect(readClipConfig(golden)).toEqual({
      projectionSize: 12,
      vision: {
        hiddenSize: 16,
        intermediateSize: 28,
        layerCount: 3,
        headCount: 4,
        imageSize: 16,
        patchSize: 8,
        channelCount: 3,
        activation: 'gelu',
        layerNormEpsilon: 1e-3,
      },
      text: {
        hiddenSize: 12,
        intermediateSize: 20,
        layerCount: 1,
        headCount: 1,
        vocabularySize: 40,
        contextLength: 7,
        activation: 'gelu',
        layerNormEpsilon: 1e-6,
        endOfTextId: 5,
      },
    });
  });

  it('takes the defaults of ViT-B/32 for what a repo leaves out', () => {
    const { vision, text, projectionSize } = readClipConfig({ model_type: 'clip' });
    expect(visionTokenCount(vision)).toBe(50);
    expect([vision.hiddenSize, vision.layerCount, vision.headCount]).toEqual([768, 12, 12]);
    expect([text.hiddenSize, text.contextLength, text.vocabularySize]).toEqual([512, 77, 49408]);
    expect([projectionSize, text.endOfTextId, text.activation]).toEqual([512, 49407, 'quick_gelu']);
  });

  it('reads early files: legacy ids, towers said twice, nulls', () => {
    const twice = {
      ...CLIP_VIT_LARGE,
      vision_config: { ...CLIP_VIT_LARGE.vision_config, patch_size: 32, image_size: 336 },
    };
    const { vision, text, projectionSize } = readClipConfig(twice);
    expect(vision).toMatchObject({ hiddenSize: 1024, layerCount: 24, headCount: 16 });
    // CLIPConfig.from_dict gives 14 and 224 here: the dict's value, and the default of the dict.
    expect([vision.patchSize, vision.imageSize, visionTokenCount(vision)]).toEqual([14, 224, 257]);
    expect([text.hiddenSize, text.endOfTextId, projectionSize]).toEqual([768, 2, 768]);
  });

  it.each([
    [{ model_type: 't5' }, 'unsupported', /model_type is "t5"/],
    [{ model_type: 'clip_vision_model' }, 'unsupported', /no text tower/],
    [{}, 'unsupported', /model_type is missing/],
    [[], 'parse', /config.json/],
    [null, 'parse', /config.json/],
    [{ ...golden, projection_dim: 0 }, 'parse', /projection_dim is 0/],
    [{ ...golden, projection_dim: 1.5 }, 'parse', /projection_dim is 1.5/],
    [{ ...golden, vision_config: 3 }, 'parse', /vision_config is 3/],
    [vision({ hidden_act: 'relu' }), 'unsupported', /hidden_act is "relu"/],
    [vision({ num_attention_heads: 5 }), 'unsupported', /num_attention_heads 5/],
    [vision({ patch_size: 7 }), 'unsupported', /patch_size 7 does not divide/],
    [vision({ num_channels: 1 }), 'unsupported', /num_channels is 1/],
    [vision({ layer_norm_eps: 'small' }), 'parse', /layer_norm_eps is "small"/],
  ])('refuses %j', (config, kind, message) => {
    const read = () => readClipConfig(config);
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ name: 'PeruError', kind }) as Error);
  });
});

function vision(change: object): object {
  return { ...golden, vision_config: { ...golden.vision_config, ...change } };
}
