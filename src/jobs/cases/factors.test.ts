/** Files that look like checkpoints and hold factors. */
import { describe, expect, it } from 'vitest';
import { caseFiles, filesOf, type FileHeader } from './case-files.fixture';
import { openFiles } from './open-files.fixture';

const FULL: FileHeader = {
  tensors: {
    'model.embed_tokens.weight': 'BF16[16,8]',
    'model.layers.0.self_attn.q_proj.weight': 'BF16[8,8]',
    'model.layers.0.self_attn.v_proj.weight': 'BF16[8,8]',
    'model.layers.0.input_layernorm.weight': 'BF16[8]',
  },
};
const base = { 'base/config.json': '{}', 'base/model.safetensors': FULL };

async function refusal(files: Parameters<typeof filesOf>[0]) {
  const { error } = await openFiles(filesOf(files));
  expect(error).toMatchObject({ kind: 'unsupported' });
  return `${error!.message} ${error!.hint}`;
}

describe('factors', () => {
  it.each([
    ['12-lora-kohya', /person\.safetensors is a LoRA in kohya’s format.*peft repository/],
    ['13-lora-diffusers', /person\/pytorch_lora_weights.*diffusers’ format.*adapter_config\.json/],
    ['14-lora-mlx', /chat\/adapters\.safetensors is a LoRA in the format of mlx-lm.*mlx_lm\.fuse/],
  ])('%s: names the format and what to do', async (name, says) => {
    const { error } = await openFiles(caseFiles(name));
    expect(`${error?.message} ${error?.hint}`).toMatch(says);
    // Two of one rank without any base, which would merge.
    const alone = caseFiles(name).filter(({ path }) => !/^(?:base|text_encoder)\//.test(path));
    expect((await openFiles(alone)).error?.message).toMatch(/is a LoRA/);
  });

  const P = 'lora_unet_mid_block_attn';
  const Q = 'transformer.blocks.0.attn.to_q';
  it.each<[string, Record<string, string>, RegExp]>([
    [
      'kohya, convolutions',
      {
        [`${P}.lora_down.weight`]: 'F16[4,8,3,3]',
        [`${P}.lora_up.weight`]: 'F16[8,4,1,1]',
        [`${P}.lora_mid.weight`]: 'F16[4,4,3,3]',
        [`${P}.alpha`]: 'F16[]',
      },
      /kohya/,
    ],
    [
      'kohya, with weights of norms beside them',
      {
        [`${P}.lora_down.weight`]: 'F16[4,8]',
        [`${P}.lora_up.weight`]: 'F16[8,4]',
        a: 'F16[8]',
        b: 'F16[8]',
        c: 'F16[8]',
        d: 'F16[8]',
      },
      /kohya/,
    ],
    [
      'diffusers, attention processors',
      {
        'up.attn1.processor.to_q_lora.down.weight': 'F32[4,8]',
        'up.attn1.processor.to_q_lora.up.weight': 'F32[8,4]',
      },
      /older format of diffusers/,
    ],
    [
      'diffusers, text encoders',
      {
        'text_encoder.q_proj.lora_linear_layer.down.weight': 'F32[4,8]',
        'text_encoder.q_proj.lora_linear_layer.up.weight': 'F32[8,4]',
      },
      /older format of diffusers/,
    ],
    [
      'XLabs',
      {
        'double_blocks.0.processor.qkv_lora1.down.weight': 'BF16[4,8]',
        'double_blocks.0.processor.qkv_lora1.up.weight': 'BF16[8,4]',
      },
      /LoRA/,
    ],
    ['Mochi, loralib', { [`${Q}.lora_A`]: 'F32[4,8]', [`${Q}.lora_B`]: 'F32[8,4]' }, /diffusers/],
    [
      'DoRA of diffusers',
      {
        [`${Q}.lora_A.weight`]: 'F32[4,8]',
        [`${Q}.lora_B.weight`]: 'F32[8,4]',
        [`${Q}.lora_magnitude_vector`]: 'F32[8]',
      },
      /diffusers/,
    ],
    [
      'torchtune',
      {
        'layers.0.attn.q_proj.lora_a.weight': 'F32[4,8]',
        'layers.0.attn.q_proj.lora_b.weight': 'F32[8,4]',
      },
      /torchtune/,
    ],
    [
      'DoRA of MLX',
      {
        'model.layers.0.q.lora_a': 'F32[8,4]',
        'model.layers.0.q.lora_b': 'F32[4,8]',
        'model.layers.0.q.m': 'F32[8]',
      },
      /mlx-lm/,
    ],
    [
      'LoHa',
      {
        [`${P}.hada_w1_a`]: 'F16[8,4]',
        [`${P}.hada_w1_b`]: 'F16[4,8]',
        [`${P}.hada_w2_a`]: 'F16[8,4]',
        [`${P}.hada_w2_b`]: 'F16[4,8]',
        [`${P}.alpha`]: 'F16[]',
      },
      /LoHa.*tools\/merge\.py/,
    ],
    [
      'LoKr',
      {
        [`${P}.lokr_w1`]: 'F16[2,2]',
        [`${P}.lokr_w2_a`]: 'F16[4,4]',
        [`${P}.lokr_w2_b`]: 'F16[4,4]',
        [`${P}.alpha`]: 'F16[]',
      },
      /LoKr/,
    ],
    ['OFT', { [`${P}.oft_blocks`]: 'F16[4,2,2]', [`${P}.alpha`]: 'F16[]' }, /OFT/],
    [
      'whole changes',
      { [`${Q}.diff`]: 'F16[8,8]', [`${Q}.diff_b`]: 'F16[8]', 'norm.w_norm': 'F16[8]' },
      /changes to weights/,
    ],
    [
      'PEFT, renamed',
      {
        'base_model.model.q.lora_A.weight': 'F32[4,8]',
        'base_model.model.q.lora_B.weight': 'F32[8,4]',
        'base_model.model.lm_head.weight': 'F32[8,8]',
        'base_model.model.embed.weight': 'F32[8,8]',
        'base_model.model.score.weight': 'F32[8,8]',
      },
      /PEFT adapter without/,
    ],
    ...['fourierft_spectrum', 'hra_u', 'vblora_logits_A', 'bone_block', 'shira_weight'].map(
      (end): [string, Record<string, string>, RegExp] => [
        `PEFT, renamed: ${end}`,
        { [`base_model.model.q.${end}`]: 'F32[8]', 'base_model.model.score.weight': 'F32[3,8]' },
        /PEFT adapter without/,
      ],
    ),
    [
      'LoHa of PEFT',
      { 'mid.q.hada_w1_a.default': 'F32[8,4]', 'mid.q.hada_w1_b.default': 'F32[4,8]' },
      /LoHa/,
    ],
    ['mlx-vlm', { 'model.layers.0.q.A': 'F32[8,4]', 'model.layers.0.q.B': 'F32[4,8]' }, /mlx-vlm/],
    [
      'NeMo',
      {
        'model.layers.0.attn.adapter_layer.lora_kqv_adapter.linear_in.weight': 'F32[4,8]',
        'model.layers.0.attn.adapter_layer.lora_kqv_adapter.linear_out.weight': 'F32[24,4]',
      },
      /NeMo/,
    ],
    [
      'Control-LoRA',
      { lora_controlnet: 'F32[0]', 'in.1.up': 'F16[8,4]', 'in.1.down': 'F16[4,8]' },
      /Control-LoRA/,
    ],
    [
      'AdapterHub',
      {
        'bert.layer.0.output.adapters.sst.adapter_down.0.weight': 'F32[4,8]',
        'bert.layer.0.output.adapters.sst.adapter_up.weight': 'F32[8,4]',
      },
      /AdapterHub/,
    ],
    ['prompt tuning', { prompt_embeddings: 'F32[4,8]' }, /trained prompts.*leave it out/],
    ['textual inversion', { emb_params: 'F32[4,8]' }, /trained prompts/],
    [
      'PEFT, a model with its LoHa',
      {
        ...FULL.tensors,
        'm.q.base_layer.weight': 'F32[8,8]',
        'm.q.hada_w1_a.default': 'F32[8,4]',
        'm.q.hada_w1_b.default': 'F32[4,8]',
      },
      /merge_and_unload/,
    ],
    [
      'PEFT, a model with its head twice',
      {
        ...FULL.tensors,
        'm.score.original_module.weight': 'F32[2,8]',
        'm.score.modules_to_save.default.weight': 'F32[2,8]',
      },
      /merge_and_unload/,
    ],
    [
      'PEFT, a wrapped model',
      {
        'm.q.base_layer.weight': 'F32[8,8]',
        'm.q.lora_A.default.weight': 'F32[4,8]',
        'm.q.lora_B.default.weight': 'F32[8,4]',
        'm.embed.weight': 'F32[8,8]',
      },
      /merge_and_unload/,
    ],
  ])('%s', async (_, tensors, says) => {
    const file = { tensors };
    expect(await refusal({ ...base, 'style.safetensors': file })).toMatch(says);
    expect(await refusal({ 'one.safetensors': file, 'two.safetensors': file })).toMatch(says);
    expect(await refusal({ ...base, 'x/config.json': '{}', 'x/model.safetensors': file })).toMatch(
      says,
    );
  });

  it('refuses them before they are offered as the base of adapters', async () => {
    const adapter = {
      'lora/adapter_config.json': '{"peft_type":"LORA","r":2,"target_modules":["q_proj"]}',
      'lora/adapter_model.safetensors': FULL,
      'style.safetensors': {
        tensors: { [`${P}.lora_down.weight`]: 'F16[4,8]', [`${P}.lora_up.weight`]: 'F16[8,4]' },
      },
    };
    expect(await refusal({ ...base, ...adapter })).toContain('style.safetensors');
  });

  it('refuses the configuration of mlx-lm, whatever the weights are called', async () => {
    const files = {
      ...base,
      'lora/adapter_config.json': '{"fine_tune_type":"lora","lora_parameters":{"rank":4}}',
      'lora/adapter_model.safetensors': FULL,
    };
    expect(await refusal(files)).toMatch(
      /lora\/adapter_config\.json is of a LoRA in the format of mlx/,
    );
    const steps = {
      ...base,
      'sql/adapter_config.json': '{"fine_tune_type":"lora"}',
      'sql/adapters.safetensors': { tensors: { 'q.lora_a': 'F32[8,4]', 'q.lora_b': 'F32[4,8]' } },
      'sql/0000100_adapters.safetensors': {
        tensors: { 'q.lora_a': 'F32[8,4]', 'q.lora_b': 'F32[4,8]' },
      },
    };
    expect(await refusal(steps)).toContain('sql/adapters.safetensors');
  });

  it.each<[string, Record<string, string>]>([
    [
      'RWKV-7',
      {
        'layers.0.attn.w_lora.lora.0.weight': 'BF16[4,8]',
        'layers.0.attn.w_lora.lora.2.weight': 'BF16[8,4]',
        'layers.0.attn.w_lora.lora.2.bias': 'BF16[8]',
      },
    ],
    [
      'Phi-4-multimodal',
      {
        'layers.0.qkv.base_layer.weight': 'BF16[8,8]',
        'layers.0.qkv.lora_A.speech.weight': 'BF16[4,8]',
        'layers.0.qkv.lora_B.speech.weight': 'BF16[8,4]',
        'layers.0.norm.weight': 'BF16[8]',
      },
    ],
    [
      'a model with a module of that name',
      { 'adapter.lora_A.weight': 'BF16[4,8]', 'adapter.lora_B.weight': 'BF16[8,4]' },
    ],
  ])('merges %s, whose weights have such names', async (_, more) => {
    const file = { tensors: { ...FULL.tensors, ...more } };
    const { preflight, error } = await openFiles(
      filesOf({ 'base.safetensors': file, 'task.safetensors': file }),
    );
    expect(error).toBeNull();
    expect(preflight?.tensors.mergedTensors).toBe(4 + Object.keys(more).length);
  });
});
