import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PeruError } from '@/core/errors';
import { readAdapterConfig } from './config';

const read = (fields: object) =>
  readAdapterConfig({ peft_type: 'LORA', ...fields }, 'x/adapter_config.json');

function refusal(json: unknown): PeruError {
  try {
    readAdapterConfig(json, 'x/adapter_config.json');
  } catch (error) {
    if (error instanceof PeruError) return error;
    throw error;
  }
  throw new Error('Not refused.');
}
const refused = (fields: object) => refusal({ peft_type: 'LORA', ...fields });

interface Rule {
  readonly config: object;
  readonly modules: Readonly<Record<string, readonly [boolean, number, number]>>;
}
const rules = JSON.parse(
  readFileSync(new URL('./golden/rules.json', import.meta.url), 'utf8'),
) as readonly Rule[];

describe('readAdapterConfig', () => {
  it.each(rules.map((rule) => [JSON.stringify(rule.config), rule] as const))(
    'targets and scales as peft does under %s',
    (_, { config, modules }) => {
      const { isTarget, settingsOf } = read(config);
      for (const [module, [targeted, rank, alpha]] of Object.entries(modules)) {
        expect(isTarget(module), module).toBe(targeted);
        expect(settingsOf(module), module).toEqual({ rank, scale: alpha / rank });
      }
    },
  );

  it('reads what decides the update', () => {
    const config = read({
      r: 4,
      lora_alpha: 6,
      fan_in_fan_out: true,
      bias: 'all',
      modules_to_save: ['head'],
      base_model_name_or_path: 'org/model',
    });
    expect(config).toMatchObject({
      label: 'x/adapter_config.json',
      rank: 4,
      fanInFanOut: true,
      bias: 'all',
      modulesToSave: ['head'],
      baseModel: 'org/model',
    });
    expect(config.settingsOf('q')).toEqual({ rank: 4, scale: 1.5 });
  });

  it('divides by the root of the rank for rank-stabilised adapters, of a pattern too', () => {
    const config = read({ r: 4, lora_alpha: 6, use_rslora: true, rank_pattern: { v: 9 } });
    expect(config.settingsOf('a.q').scale).toBe(3);
    expect(config.settingsOf('a.v')).toEqual({ rank: 9, scale: 2 });
  });

  it("takes PEFT's defaults for what old files leave out", () => {
    const config = readAdapterConfig({ peft_type: 'LORA' }, 'old');
    expect(config).toMatchObject({ rank: 8, bias: 'none', fanInFanOut: false, baseModel: null });
    expect(config.settingsOf('q').scale).toBe(1);
    expect(config.isTarget('anything')).toBe(true);
  });

  it('lets harmless and unset fields pass, known or not', () => {
    const harmless = {
      lora_dropout: 0.05,
      task_type: 'CAUSAL_LM',
      inference_mode: true,
      peft_version: '0.19.1',
      megatron_core: 'megatron.core',
      qalora_group_size: 16,
      merge_weights: false,
      enable_lora: null,
      use_dora: false,
      layer_replication: null,
      loftq_config: {},
      eva_config: { rho: 2 },
      arrow_config: null,
      trainable_token_indices: [],
      use_future_switch: false,
      note: 'trained on a Tuesday',
    };
    expect(() => read(harmless)).not.toThrow();
  });

  it.each([true, false, 'gaussian', 'eva', 'orthogonal', null])('accepts the start %s', (init) => {
    expect(() => read({ init_lora_weights: init })).not.toThrow();
  });

  it.each(['pissa', 'pissa_niter_16', 'olora', 'OLoRA', 'corda', 'lora_ga'])(
    'refuses the start %s, which moved part of the base into the adapter',
    (init) => {
      const error = refused({ init_lora_weights: init });
      expect(error.kind).toBe('unsupported');
      expect(error.message).toContain(JSON.stringify(init));
      expect(error.hint).toContain('path_initial_model_for_weight_conversion');
    },
  );

  it.each(['loftq', 'of the future', 7])('refuses the start %s', (init) => {
    expect(refused({ init_lora_weights: init })).toMatchObject({ kind: 'unsupported' });
  });

  it.each([
    ['use_dora', true],
    ['lora_bias', true],
    ['layer_replication', [[0, 4]]],
    ['target_parameters', ['experts.gate_up_proj']],
    ['trainable_token_indices', { embed_tokens: [1] }],
    ['use_qalora', true],
    ['alora_invocation_tokens', [1, 2]],
    ['arrow_config', { top_k: 3 }],
    ['use_bdlora', { nblocks: 2 }],
    ['enable_lora', [true, false, true]],
    ['use_future_switch', true],
    ['future_config', { x: 1 }],
  ])('refuses %s by name', (field, value) => {
    const error = refused({ [field]: value });
    expect(error.kind).toBe('unsupported');
    expect(error.message).toContain(`x/adapter_config.json sets ${field}`);
    expect(error.hint).toContain('merge_and_unload');
  });

  it.each(['IA3', 'LOHA', 'LOKR', 'ADALORA', 'PREFIX_TUNING', 'VERA', 'XLORA', 'lora'])(
    'refuses adapters of type %s by name',
    (type) => {
      const error = refused({ peft_type: type });
      expect(error).toMatchObject({ kind: 'unsupported' });
      expect(error.message).toContain(`"${type}"`);
    },
  );

  it.each([
    [[], /no JSON object/],
    [null, /no JSON object/],
    ['LORA', /no JSON object/],
    [{}, /no peft_type/],
    [{ peft_type: 3 }, /no peft_type/],
    [{ peft_type: 'LORA', r: 0 }, /r is 0/],
    [{ peft_type: 'LORA', r: 2.5 }, /r is 2\.5/],
    [{ peft_type: 'LORA', r: '8' }, /r is "8"/],
    [{ peft_type: 'LORA', r: 1e9 }, /r is 1000000000/],
    [{ peft_type: 'LORA', lora_alpha: '16' }, /lora_alpha is "16"/],
    [{ peft_type: 'LORA', lora_alpha: null }, /lora_alpha is null instead of a number/],
    [{ peft_type: 'LORA', use_rslora: 1 }, /use_rslora is 1/],
    [{ peft_type: 'LORA', bias: 'some' }, /bias is "some"/],
    [{ peft_type: 'LORA', target_modules: 4 }, /target_modules is 4/],
    [{ peft_type: 'LORA', target_modules: ['q', 4] }, /target_modules is a list/],
    [{ peft_type: 'LORA', modules_to_save: 'head' }, /modules_to_save is "head"/],
    [{ peft_type: 'LORA', rank_pattern: ['q'] }, /rank_pattern is a list/],
    [{ peft_type: 'LORA', rank_pattern: { q: 0 } }, /rank_pattern\["q"\] is 0/],
    [{ peft_type: 'LORA', alpha_pattern: { q: null } }, /alpha_pattern\["q"\] is null/],
    [{ peft_type: 'LORA', layers_to_transform: ['1'] }, /layers_to_transform is a list/],
  ])('refuses %j', (json, message) => {
    expect(refusal(json)).toMatchObject({
      kind: 'parse',
      message: expect.stringMatching(message) as string,
    });
  });

  it('names the field and the pattern that it can not read, or not in time', () => {
    const unreadable = refused({ alpha_pattern: { '(q)\\1': 4 } });
    expect(unreadable.message).toMatch(/alpha_pattern.*"\(q\)\\\\1"/);
    const slow = read({ target_modules: '(?:(?:.*.*)*.*)*(?=(?:.*.*)*x)' });
    expect(() => slow.isTarget('a'.repeat(5000))).toThrow(/target_modules .*takes too long/);
  });

  it('refuses patterns whose order the file has and JavaScript loses', () => {
    const config = read({ rank_pattern: { '.*1': 4, '1': 8, '2': 5 } });
    expect(config.settingsOf('layers.2').rank).toBe(5);
    expect(() => config.settingsOf('layers.1')).toThrow(/two values for the module "layers\.1"/);
  });

  it('is not misled by names special in JavaScript', () => {
    const json: unknown = JSON.parse(
      '{"peft_type":"LORA","rank_pattern":{"__proto__":3,"constructor":2},"__proto__":{"r":5}}',
    );
    const config = readAdapterConfig(json, 'x');
    expect(config.settingsOf('a.__proto__').rank).toBe(3);
    expect(config.settingsOf('constructor').rank).toBe(2);
    expect(config.settingsOf('toString').rank).toBe(8);
  });
});
