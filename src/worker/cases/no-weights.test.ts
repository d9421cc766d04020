/** Files that look like checkpoints and hold no weights: factors, and codes of quantised models. */
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

describe('quantised models', () => {
  it('05-quantised-gptq: is refused with the way out', async () => {
    const { error } = await openFiles(caseFiles('05-quantised-gptq'));
    expect(error?.message).toMatch(/base is quantised \(GPTQ\): ".*qweight" is stored as I32/);
    expect(error?.hint).toContain('before quantisation');
  });

  it('05b-base-float-task-bnb: one of them is enough', async () => {
    const files = caseFiles('05b-base-float-task-bnb');
    const { error } = await openFiles(files, 'base/model.safetensors');
    expect(error?.message).toMatch(/chat is quantised \(bitsandbytes\)/);
    expect(error?.hint).toContain('model.dequantize()');
  });

  const P = 'model.layers.0.self_attn.q_proj';
  const PLAIN = { 'model.norm.weight': 'BF16[8]', 'model.embed_tokens.weight': 'BF16[16,8]' };
  const config = (quant_method: string) =>
    JSON.stringify({ quantization_config: { quant_method } });
  it.each<[string, string | null, Record<string, string>, RegExp]>([
    [
      'AWQ',
      config('awq'),
      { [`${P}.qweight`]: 'I32[8,1]', [`${P}.qzeros`]: 'I32[1,1]', [`${P}.scales`]: 'F16[1,8]' },
      /AWQ/,
    ],
    [
      'GPTQ or AWQ, without a configuration',
      null,
      { [`${P}.qweight`]: 'I32[8,1]', [`${P}.qzeros`]: 'I32[1,1]', [`${P}.scales`]: 'F16[1,8]' },
      /GPTQ or AWQ/,
    ],
    [
      'bitsandbytes, 8 bit',
      null,
      { [`${P}.weight`]: 'I8[8,8]', [`${P}.SCB`]: 'F32[8]', [`${P}.weight_format`]: 'U8[]' },
      /bitsandbytes.*dequantize/,
    ],
    [
      'bitsandbytes, nested 4 bit',
      null,
      {
        [`${P}.weight`]: 'U8[32,1]',
        [`${P}.weight.absmax`]: 'U8[1]',
        [`${P}.weight.quant_map`]: 'F32[16]',
        [`${P}.weight.nested_absmax`]: 'F32[1]',
        [`${P}.weight.quant_state.bitsandbytes__nf4`]: 'U8[80]',
      },
      /bitsandbytes/,
    ],
    [
      'compressed-tensors, packed',
      null,
      {
        [`${P}.weight_packed`]: 'I32[8,1]',
        [`${P}.weight_scale`]: 'BF16[8,1]',
        [`${P}.weight_shape`]: 'I64[2]',
      },
      /compressed-tensors.*run_compressed=False/,
    ],
    [
      'compressed-tensors, 8 bit',
      config('compressed-tensors'),
      { [`${P}.weight`]: 'I8[8,8]', [`${P}.weight_scale`]: 'BF16[8,1]' },
      /compressed-tensors/,
    ],
    [
      'FP8 in blocks',
      config('fp8'),
      { [`${P}.weight`]: 'F8_E4M3[8,8]', [`${P}.weight_scale_inv`]: 'F32[1,1]' },
      /FP8.*BF16/,
    ],
    ['FP8 without scales', null, { [`${P}.weight`]: 'F8_E5M2[8,8]' }, /FP8.*torch\.bfloat16/],
    [
      'MXFP4',
      config('mxfp4'),
      {
        'model.layers.0.mlp.experts.down_proj_blocks': 'U8[2,8,1,16]',
        'model.layers.0.mlp.experts.down_proj_scales': 'U8[2,8,1]',
      },
      /MXFP4.*Mxfp4Config\(dequantize=True\)/,
    ],
    [
      'NVFP4',
      null,
      {
        [`${P}.weight`]: 'U8[8,4]',
        [`${P}.weight_scale`]: 'F8_E4M3[8,1]',
        [`${P}.weight_scale_2`]: 'F32[]',
        [`${P}.input_scale`]: 'F32[]',
      },
      /NVFP4/,
    ],
    [
      'MLX',
      '{"quantization":{"group_size":64,"bits":4}}',
      { [`${P}.weight`]: 'U32[8,1]', [`${P}.scales`]: 'BF16[8,1]', [`${P}.biases`]: 'BF16[8,1]' },
      /MLX.*mlx_lm\.convert --dequantize/,
    ],
    [
      'AQLM',
      null,
      {
        [`${P}.codes`]: 'I16[8,1,1]',
        [`${P}.codebooks`]: 'F16[1,256,1,8]',
        [`${P}.scales`]: 'F16[8,1,1,1]',
      },
      /AQLM/,
    ],
    [
      'HQQ',
      null,
      { [`${P}.W_q`]: 'U8[8,4]', [`${P}.scale`]: 'F16[8,1]', [`${P}.zero`]: 'F16[8,1]' },
      /HQQ/,
    ],
    [
      'torchao',
      null,
      { [`${P}._weight_qdata`]: 'I8[8,8]', [`${P}._weight_scale`]: 'F32[8]' },
      /torchao/,
    ],
    [
      'quanto',
      null,
      { [`${P}.weight._data`]: 'I8[8,8]', [`${P}.weight._scale`]: 'F32[8,1]' },
      /quanto/,
    ],
    [
      'quanto, packed',
      null,
      { [`${P}.weight._data._data`]: 'U8[4,8]', [`${P}.weight._scale`]: 'F32[8,1]' },
      /quanto/,
    ],
    [
      'EXL2',
      null,
      { [`${P}.q_weight`]: 'I32[4,8]', [`${P}.q_scale`]: 'I32[1,1]', [`${P}.q_invperm`]: 'I16[8]' },
      /EXL2/,
    ],
    ['EXL3', null, { [`${P}.trellis`]: 'I16[1,1,64]', [`${P}.suh`]: 'F16[8]' }, /EXL3/],
    ['QuIP#', null, { [`${P}.Qidxs`]: 'I64[8,1]', [`${P}.SU`]: 'F16[8]' }, /QuIP#/],
    ['SpQR', null, { [`${P}.dense_weights`]: 'I64[8]', [`${P}.row_offsets`]: 'I32[9]' }, /SpQR/],
    ['Marlin', null, { [`${P}.B`]: 'I32[1,16]', [`${P}.s`]: 'F16[1,8]' }, /Marlin/],
    [
      'compressed-tensors, two of four weights zero',
      null,
      { [`${P}.weight.compressed`]: 'BF16[8,4]', [`${P}.weight.bitmask`]: 'U8[8,1]' },
      /compressed-tensors/,
    ],
    [
      'FP8 that was cast without its scales',
      null,
      { [`${P}.weight`]: 'BF16[8,8]', [`${P}.weight_scale_inv`]: 'F32[1,1]' },
      /FP8 whose scales.*without the tensors named weight_scale_inv/,
    ],
    [
      'codes of a method that nothing tells of',
      null,
      { 'model.layers.0.a.mine': 'I64[8,8]', 'model.layers.1.a.mine': 'I64[8,8]' },
      /integers in the place of weights/,
    ],
    [
      'a method that is not known, by its configuration',
      config('newquant'),
      { [`${P}.codes_of_mine`]: 'U8[8,4]' },
      /newquant/,
    ],
    [
      'integers for weights, by themselves',
      null,
      { [`${P}.weight`]: 'I8[8,8]' },
      /integers in the place of weights/,
    ],
  ])('%s', async (_, text, tensors, says) => {
    const file = { tensors: { ...PLAIN, ...tensors } };
    const coded = { 'q/model.safetensors': file, ...(text !== null && { 'q/config.json': text }) };
    expect(await refusal({ ...base, ...coded })).toMatch(says);
    const adapter = {
      'lora/adapter_config.json': '{"peft_type":"LORA","r":4,"target_modules":["q_proj"]}',
      'lora/adapter_model.safetensors': {
        tensors: {
          [`base_model.model.${P}.lora_A.weight`]: 'F32[4,8]',
          [`base_model.model.${P}.lora_B.weight`]: 'F32[8,4]',
        },
      },
    };
    expect(await refusal({ ...coded, ...adapter })).toMatch(says);
  });

  it('merges what was dequantised, although its configuration tells of it', async () => {
    const file = {
      tensors: { ...FULL.tensors, position_ids: 'I64[1,16]', 'h.0.attn.bias': 'U8[1,1,16,16]' },
    };
    const left = {
      'q/model.safetensors': file,
      'q/config.json': config('bitsandbytes'),
    };
    const { error, preflight } = await openFiles(
      filesOf({ ...base, 'base/model.safetensors': file, ...left }),
      'base/model.safetensors',
    );
    expect(error).toBeNull();
    expect(preflight?.tensors.mergedTensors).toBe(4);
  });

  it('asks to look at integers that are too large for ids', async () => {
    const file = { tensors: { ...FULL.tensors, 'codebook.table': 'I32[1025,1024]' } };
    const { preflight } = await openFiles(
      filesOf({ 'base.safetensors': file, 'task.safetensors': file }),
    );
    expect(preflight?.findings.filter(({ topic }) => topic === 'integers')).toMatchObject([
      { level: 'warning', names: ['codebook.table'] },
    ]);
  });
});
