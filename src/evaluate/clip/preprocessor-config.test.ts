import { describe, expect, it } from 'vitest';
import { readPreprocessorConfig } from './preprocessor-config';

describe('readPreprocessorConfig', () => {
  it('takes the defaults of CLIPImageProcessor for what a repo leaves out', () => {
    expect(readPreprocessorConfig({})).toEqual({
      resize: { target: { shortestEdge: 224 }, filter: 'bicubic' },
      crop: { width: 224, height: 224 },
      rescale: 1 / 255,
      normalize: {
        mean: [0.48145466, 0.4578275, 0.40821073],
        std: [0.26862954, 0.26130258, 0.27577711],
      },
    });
  });

  it('reads old files, where sizes are bare numbers', () => {
    const config = { feature_extractor_type: 'CLIPFeatureExtractor', size: 336, crop_size: 300 };
    const { resize, crop } = readPreprocessorConfig(config);
    expect(resize?.target).toEqual({ shortestEdge: 336 });
    expect(crop).toEqual({ width: 300, height: 300 });
  });

  it("reads CLIP's first files as today's defaults", () => {
    const first = {
      crop_size: 224,
      do_center_crop: true,
      do_normalize: true,
      do_resize: true,
      feature_extractor_type: 'CLIPFeatureExtractor',
      image_mean: [0.48145466, 0.4578275, 0.40821073],
      image_std: [0.26862954, 0.26130258, 0.27577711],
      resample: 3,
      size: 224,
    };
    expect(readPreprocessorConfig(first)).toEqual(readPreprocessorConfig({}));
    // Saved again by a later release, which kept the old name beside the new one.
    const later = {
      ...first,
      image_processor_type: 'CLIPImageProcessor',
      crop_size: { height: 224, width: 224 },
      do_convert_rgb: true,
      do_rescale: true,
      rescale_factor: 0.00392156862745098,
      size: { shortest_edge: 224 },
    };
    expect(readPreprocessorConfig(later)).toEqual(readPreprocessorConfig({}));
  });

  it('reads a fixed size, and steps that are off', () => {
    const off = { do_center_crop: false, do_rescale: false, do_normalize: false };
    const config = { ...off, size: { width: 8, height: 6 }, resample: 2 };
    expect(readPreprocessorConfig(config)).toEqual({
      resize: { target: { width: 8, height: 6 }, filter: 'bilinear' },
      crop: null,
      rescale: null,
      normalize: null,
    });
    expect(readPreprocessorConfig({ do_resize: false }).resize).toBeNull();
  });

  it.each([
    [{ image_processor_type: 'ViTImageProcessor' }, 'unsupported', /ViTImageProcessor/],
    [{ resample: 0 }, 'unsupported', /resample is 0/],
    [{ do_pad: true }, 'unsupported', /do_pad is true/],
    [{ size: { longest_edge: 300 } }, 'unsupported', /size.longest_edge is 300/],
    [{ size: { width: 3 } }, 'parse', /size.height is undefined/],
    [{ size: -1 }, 'parse', /size is -1/],
    [{ crop_size: 'all' }, 'parse', /crop_size is "all"/],
    [{ image_mean: [0.5, 0.5] }, 'parse', /image_mean/],
    [{ image_std: [0.5, 0, 0.5] }, 'parse', /image_std/],
    [{ rescale_factor: '1/255' }, 'parse', /rescale_factor/],
    [{ do_resize: 'yes' }, 'parse', /do_resize is "yes"/],
    [7, 'parse', /preprocessor_config.json/],
  ])('refuses %j by name', (config, kind, message) => {
    const read = () => readPreprocessorConfig(config);
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ name: 'PeruError', kind }) as Error);
  });
});
