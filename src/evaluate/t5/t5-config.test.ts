import { describe, expect, it } from 'vitest';
import { FLAN_T5_BASE } from '@/evaluate/golden/flan-t5-base';
import { attentionSize, readT5Config } from './t5-config';

const read = (change: object, generation: unknown = null) =>
  readT5Config({ ...FLAN_T5_BASE, ...change }, generation);

describe('readT5Config', () => {
  it('reads Flan-T5-base', () => {
    const config = read({});
    expect(config).toEqual({
      vocabularySize: 32128,
      hiddenSize: 768,
      headCount: 12,
      headSize: 64,
      intermediateSize: 2048,
      encoderLayerCount: 12,
      decoderLayerCount: 12,
      bucketCount: 32,
      maxDistance: 128,
      normEpsilon: 1e-6,
      feedForward: 'gated-gelu',
      tiedHead: false,
      padId: 0,
      startId: 0,
      endIds: [1],
    });
    expect(attentionSize(config)).toBe(768);
  });

  it("takes transformers' defaults, those of T5-small", () => {
    const config = readT5Config({ model_type: 't5', decoder_start_token_id: 0, num_layers: 3 });
    expect(config).toMatchObject({
      hiddenSize: 512,
      headCount: 8,
      headSize: 64,
      intermediateSize: 2048,
      encoderLayerCount: 3,
      // As many as the encoder's where the file has no number of its own.
      decoderLayerCount: 3,
      feedForward: 'relu',
      tiedHead: true,
      padId: 0,
      endIds: [1],
    });
  });

  it('lets the generation config name the special tokens', () => {
    const generation = { decoder_start_token_id: 7, eos_token_id: [4, 5], pad_token_id: null };
    expect(read({}, generation)).toMatchObject({ startId: 7, endIds: [4, 5], padId: 0 });
    const bos = { decoder_start_token_id: undefined, bos_token_id: 9 };
    expect(read(bos).startId).toBe(9);
  });

  it.each([
    [{ model_type: 'bart' }, /model_type is "bart"/],
    [{ model_type: undefined }, /model_type is missing/],
    [{ feed_forward_proj: 'gated-silu' }, /feed_forward_proj is "gated-silu"/],
    [{ dense_act_fn: 'silu' }, /dense_act_fn is "silu"/],
    [{ is_gated_act: false }, /is_gated_act false/],
    [{ relative_attention_num_buckets: 3 }, /relative_attention_num_buckets is 3/],
    [{ relative_attention_max_distance: 16 }, /relative_attention_max_distance 16/],
    [{ decoder_start_token_id: null }, /decoder_start_token_id is missing/],
  ])('refuses %o by name', (change, message) => {
    expect(() => read(change)).toThrow(
      expect.objectContaining({
        kind: 'unsupported',
        message: expect.stringMatching(message) as string,
      }) as Error,
    );
  });

  it.each([
    [{ num_beams: 4 }, /num_beams is 4/],
    [{ do_sample: true }, /do_sample is true/],
    [{ suppress_tokens: [3] }, /suppress_tokens is \[3\]/],
  ])('refuses to ignore the generation setting %o', (generation, message) => {
    expect(() => read({}, generation)).toThrow(message);
  });

  it('passes over generation settings that leave greedy decoding as it is', () => {
    const generation = { num_beams: 1, do_sample: false, repetition_penalty: 1, max_length: 20 };
    expect(() => read({}, generation)).not.toThrow();
  });

  it.each([
    [{ d_model: '768' }, /d_model/],
    [{ num_heads: 0 }, /num_heads/],
    [{ tie_word_embeddings: 'no' }, /tie_word_embeddings/],
    [{ eos_token_id: [-1] }, /eos_token_id/],
    [{ pad_token_id: 0.5 }, /pad_token_id/],
  ])('names the value of %o', (change, message) => {
    expect(() => read(change)).toThrow(
      expect.objectContaining({
        kind: 'parse',
        message: expect.stringMatching(message) as string,
      }) as Error,
    );
  });
});
