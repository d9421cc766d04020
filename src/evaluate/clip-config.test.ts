import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readClipConfig, visionTokenCount } from './clip-config';

const golden = JSON.parse(
  await readFile(new URL('./golden/gelu/config.json', import.meta.url), 'utf8'),
) as { vision_config: object; text_config: object };

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
