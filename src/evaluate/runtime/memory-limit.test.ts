import { describe, expect, it } from 'vitest';
import { readClipConfig } from '@/evaluate/clip/clip-config';
import { FLAN_T5_BASE } from '@/evaluate/golden/flan-t5-base';
import { checkFeedBytes, checkWeightsFit, MAX_FEED_BYTES } from './memory-limit';
import { buildVisionGraph } from '@/evaluate/clip/clip-vision';
import { readT5Config } from '@/evaluate/t5/t5-config';
import { T5Runner } from '@/evaluate/t5/t5-runner';

const GIB = 2 ** 30;

describe('what fits on the CPU', () => {
  it('is Flan-T5-large, but not Flan-T5-XL: its first graph is named, with its size', () => {
    const large = { d_model: 1024, d_ff: 2816, num_heads: 16, num_layers: 24 };
    const xl = { d_model: 2048, d_ff: 5120, num_heads: 32, num_layers: 24 };
    const open = (sizes: object) =>
      new T5Runner(readT5Config({ ...FLAN_T5_BASE, ...sizes, num_decoder_layers: 24 }), {
        kind: 'wasm',
      });
    expect(() => open(large)).not.toThrow();
    expect(() => open(xl)).toThrow(
      expect.objectContaining({
        name: 'PeruError',
        kind: 'unsupported',
        message: expect.stringMatching(/encoder take 4\.\d GiB.* 3\.5 GiB fit/) as string,
        hint: expect.stringContaining('WebGPU') as string,
      }) as Error,
    );
  });

  it('is counted graph by graph, in float32, and on the CPU alone', () => {
    const weights = buildVisionGraph(readClipConfig({ model_type: 'clip' })).weights;
    expect(() => {
      checkWeightsFit('vision tower', weights, { kind: 'wasm' });
    }).not.toThrow();
    const check = (elements: number, kind: 'wasm' | 'webgpu') => () => {
      checkWeightsFit('tower', new Map([['w', [elements / 4, 2, 2]]]), { kind });
    };
    expect(check(MAX_FEED_BYTES / 4, 'wasm')).not.toThrow();
    expect(check(MAX_FEED_BYTES / 4 + 4, 'wasm')).toThrow(/tower/);
    expect(check(4 * GIB, 'webgpu')).not.toThrow();
  });

  it('holds for every run', () => {
    expect(() => {
      checkFeedBytes(MAX_FEED_BYTES);
    }).not.toThrow();
    expect(() => {
      checkFeedBytes(MAX_FEED_BYTES + 1);
    }).toThrow(expect.objectContaining({ kind: 'out-of-memory' }) as Error);
  });
});
