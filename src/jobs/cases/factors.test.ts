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
  it.each(['12-lora-kohya', '13-lora-diffusers'])(
    '%s: open without their base, and set it aside',
    async (name) => {
      const files = caseFiles(name);
      const { preflight, error } = await openFiles(files);
      expect(error).toBeNull();
      expect(preflight!.kind).toBe('loras');
      expect(preflight!.checkpoints).toHaveLength(2);
      expect(preflight!.findings.map(({ title }) => title)).toContainEqual(
        expect.stringMatching(/is a full model and is left aside/),
      );
      const alone = files.filter(({ path }) => !/^(?:base|text_encoder)\//.test(path));
      expect((await openFiles(alone)).preflight?.kind).toBe('loras');
    },
  );

  it('14-lora-mlx: are adapters of their base, and open without it', async () => {
    const files = caseFiles('14-lora-mlx');
    const { preflight, error } = await openFiles(files);
    expect(error).toBeNull();
    expect(preflight).toMatchObject({ kind: 'adapters', tensors: { mergedTensors: 4 } });
    expect(preflight!.checkpoints.map(({ name }) => name)).toEqual(['base', 'chat', 'sql']);
    const alone = files.filter(({ path }) => !path.startsWith('base/'));
    const { preflight: loras } = await openFiles(alone);
    expect(loras?.kind).toBe('loras');
    expect(loras!.checkpoints.map(({ name }) => name)).toEqual(['chat', 'sql']);
  });

  const P = 'lora_unet_mid_block_attn';
  const Q = 'transformer.blocks.0.attn.to_q';
  it.each<[string, Record<string, string>, RegExp]>([
    [
      'XLabs',
      {
        'double_blocks.0.processor.qkv_lora1.down.weight': 'BF16[4,8]',
        'double_blocks.0.processor.qkv_lora1.up.weight': 'BF16[8,4]',
      },
      /LoRA/,
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

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'kohya, convolutions',
      {
        [`${P}.lora_down.weight`]: 'F16[4,8,1,1]',
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
    ['Mochi, loralib', { [`${Q}.lora_A`]: 'F32[4,8]', [`${Q}.lora_B`]: 'F32[8,4]' }, /diffusers/],
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
  ])('%s: opens by itself, not as a checkpoint of its own', async (_, tensors, says) => {
    const file = { tensors };
    for (const files of [
      { ...base, 'style.safetensors': file },
      { 'one.safetensors': file, 'two.safetensors': file },
    ]) {
      const { preflight, error } = await openFiles(filesOf(files));
      expect(error).toBeNull();
      expect(preflight!.kind).toBe('loras');
    }
    const asModel = { ...base, 'x/config.json': '{}', 'x/model.safetensors': file };
    expect(await refusal(asModel)).toMatch(says);
  });

  it('refuses LoRA files among several full models', async () => {
    const file = {
      tensors: { [`${P}.lora_down.weight`]: 'F16[4,8]', [`${P}.lora_up.weight`]: 'F16[8,4]' },
    };
    const files = { ...base, 'task.safetensors': FULL, 'style.safetensors': file };
    const { error } = await openFiles(filesOf(files));
    expect(error).toMatchObject({
      kind: 'mismatch',
      message: expect.stringMatching(/^style holds LoRA factors, .*full models/) as string,
    });
  });

  it('never offers them as the base of adapters', async () => {
    const adapter = {
      'lora/adapter_config.json': '{"peft_type":"LORA","r":2,"target_modules":["q_proj"]}',
      'lora/adapter_model.safetensors': FULL,
      'style.safetensors': {
        tensors: { [`${P}.lora_down.weight`]: 'F16[4,8]', [`${P}.lora_up.weight`]: 'F16[8,4]' },
      },
    };
    const { error } = await openFiles(filesOf({ ...base, ...adapter }));
    expect(error?.message).toBe('lora/adapter_model.safetensors holds no LoRA factors.');
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
    const { error } = await openFiles(filesOf(steps));
    expect(error).toMatchObject({ kind: 'parse' });
    expect(error!.message).toMatch(
      /adapter_config\.json does not say how sql\/adapters\.safetensors/,
    );
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
