/** Checkpoints that hold codes of quantised models. */
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
