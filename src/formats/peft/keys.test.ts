import { describe, expect, it } from 'vitest';
import { type AdapterKey, parseAdapterKey, wrapperParts } from './keys';

const parse = (key: string) => parseAdapterKey(key, 'x.safetensors');
const factor = (
  module: string,
  side: 'A' | 'B',
  more: Partial<Extract<AdapterKey, { kind: 'factor' }>> = {},
) => ({ kind: 'factor', module, side, embedding: false, adapter: null, ...more });
const copy = (path: string, wrapper: string | null, named?: object) => {
  return { kind: 'copy', path, wrapper, ...(named === undefined ? {} : { named }) };
};

describe('parseAdapterKey', () => {
  it.each([
    ['base_model.model.a.b.lora_A.weight', factor('a.b', 'A')],
    ['a.b.lora_B.weight', factor('a.b', 'B')],
    ['base_model.model.a.lora_A.default.weight', factor('a', 'A', { adapter: 'default' })],
    ['a.lora_embedding_A', factor('a', 'A', { embedding: true })],
    ['a.lora_embedding_B.other', factor('a', 'B', { embedding: true, adapter: 'other' })],
    ['base_model.model.model.q.lora_B.weight', factor('model.q', 'B')],
    ['_orig_mod.base_model.model.a.q.lora_A.weight', factor('a.q', 'A')],
    ['base_model.model.layers.0._orig_mod.q.lora_A.weight', factor('layers.0.q', 'A')],
    ['_orig_mod.module.base_model.model.q.lora_A.weight', factor('q', 'A')],
    ['a._fsdp_wrapped_module.q.lora_A.default.weight', factor('a.q', 'A', { adapter: 'default' })],
    ['base_model.model.module.q.lora_A.weight', factor('module.q', 'A')],
    ['a.base_layer.lora_A.weight', factor('a', 'A')],
    ['a.default.lora_A.weight', factor('a', 'A')],
  ])('reads the factor %s', (key, expected) => {
    expect(parse(key)).toEqual(expected);
  });

  it.each([
    ['base_model.model.a.bias', copy('a.bias', null)],
    ['base_model.model.a.base_layer.bias', copy('a.bias', 'base_layer')],
    ['base_model.model.embed.base_layer.weight', copy('embed.weight', 'base_layer')],
    ['base_model.model.head.weight', copy('head.weight', null)],
    ['head.modules_to_save.weight', copy('head.weight', 'modules_to_save')],
    ['head.modules_to_save.default.weight', copy('head.weight', 'modules_to_save')],
    ['head.modules_to_save.default.0.weight', copy('head.0.weight', 'modules_to_save')],
    ['_orig_mod.base_model.model.head.weight', copy('head.weight', null)],
    ['base_model.model.head.default.weight', copy('head.weight', null)],
    [
      'head.modules_to_save.dense.weight',
      copy('head.dense.weight', 'modules_to_save', { adapter: 'dense', path: 'head.weight' }),
    ],
  ])('reads the whole tensor %s', (key, expected) => {
    expect(parse(key)).toEqual(expected);
  });

  it.each([
    ['base_model.model.q.lora_A.weight', []],
    ['_orig_mod.base_model.model.q.lora_A.weight', ['_orig_mod']],
    ['module.base_model.model.layers.0._orig_mod.q.lora_A.weight', ['module', '_orig_mod']],
    ['base_model.model.module.q.lora_A.weight', []],
  ])('tells which wrappers have left parts in %s', (key, parts) => {
    expect(wrapperParts(key)).toEqual(parts);
  });

  it("knows the base's own values beside a copy", () => {
    expect(parse('base_model.model.head.original_module.bias')).toEqual({ kind: 'original' });
  });

  it.each([
    ['a.lora_magnitude_vector', /DoRA/],
    ['a.lora_magnitude_vector.default.weight', /DoRA/],
    ['a.lora_B.bias', /lora_bias/],
    ['a.lora_B.default.bias', /lora_bias/],
    ['a.lora_A', /no part of a LoRA adapter/],
    ['a.lora_embedding_A.weight', /no part/],
    ['a.lora_A.x.y.weight', /no part/],
    ['lora_A.weight', /no part/],
    ['a.lora_E', /no part/],
    ['a.base_layer.out_proj.lora_A.weight', /no part/],
    ['embed.token_adapter.trainable_tokens_delta', /no part/],
    ['lora_unet_down_blocks_0.lora_down.weight', /no part/],
    ['unet.to_q.lora.up.weight', null],
    ['a..bias', /no part/],
    ['', /no part/],
    ['base_model.model.', /no part/],
  ])('refuses %s by name', (key, message) => {
    if (message === null) {
      // A plain name: planning refuses it unless the configuration explains it.
      expect(parse(key)).toEqual(copy(key, null));
      return;
    }
    expect(() => parse(key)).toThrow(message);
    expect(() => parse(key)).toThrow(`x.safetensors holds`);
    expect(() => parse(key)).toThrow(JSON.stringify(key));
  });
});
