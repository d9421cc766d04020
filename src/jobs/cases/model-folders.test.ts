/** What lies inside a model's folder: steps, modules, heads. */
import { describe, expect, it } from 'vitest';
import { caseFiles, filesOf } from './case-files.fixture';
import {
  ADAPTER_CONFIG,
  MODEL,
  adapter,
  model,
  openedNames,
  refusal,
} from './model-folders.fixture';
import { openFiles } from './open-files.fixture';

describe('steps of a training', () => {
  it('10-trainer-output: leaves them out beside the final model, and says so', async () => {
    const { preflight } = await openFiles(caseFiles('10-trainer-output'));
    expect(preflight?.checkpoints.map(({ name }) => name)).toEqual(['base', 'cola', 'sst2']);
    const told = preflight?.findings.find(({ topic }) => topic === 'sources');
    expect(told?.title).toContain('cola/checkpoint-1000');
    expect(told?.title).toContain('and 1 more');
  });

  it('leaves out those that the Hub, accelerate and DeepSpeed name otherwise', async () => {
    const steps = [
      'last-checkpoint',
      'step_100',
      'epoch_2',
      'checkpoints/checkpoint-5',
      'epoch=1-step=20',
      'iter_0000100',
      'global_step_40/actor/huggingface',
      'checkpoint-500-merged',
    ];
    const inside = steps.flatMap((step) => filesOf(model(`task/${step}`)));
    const files = [...filesOf({ ...model('base'), ...model('task') }), ...inside];
    expect(await openedNames(files)).toEqual(['(base)', 'task']);
  });

  it('does not mind a step that was not saved whole', async () => {
    const files = filesOf({
      ...model('base'),
      ...model('task'),
      'task/checkpoint-5/model-00002-of-00002.safetensors': MODEL,
      'task/checkpoint-7/adapter_config.json': ADAPTER_CONFIG,
      'task/checkpoint-7/optimizer.pt': 'x',
    });
    expect(await openedNames(files)).toEqual(['(base)', 'task']);
  });

  it('asks which is meant where there is no final model', async () => {
    const run = (name: string) => ({
      ...model(`${name}/checkpoint-500`),
      ...model(`${name}/checkpoint-1000`),
    });
    const told = await refusal(filesOf({ ...model('base'), ...run('a'), ...run('b') }));
    expect(told).toContain('a holds steps of one training and no model at its end');
    expect(told).toContain('checkpoint-500, checkpoint-1000');
    expect(told).toContain('the last is a/checkpoint-1000');
    // The same of adapters.
    const adapters = { ...adapter('l/checkpoint-5'), ...adapter('l/checkpoint-10') };
    expect(await refusal(filesOf({ ...model('base'), ...adapters }))).toContain('l/checkpoint-10');
  });

  it('asks also where the models lie deeper in their steps', async () => {
    const run = (step: string) => model(`grpo/global_step_${step}/actor/huggingface`);
    const told = await refusal(filesOf({ ...model('base'), ...run('20'), ...run('100') }));
    expect(told).toContain('the last is grpo/global_step_100/actor/huggingface');
  });

  it('takes a step that is alone, or that was added by itself', async () => {
    const one = filesOf({ ...model('base'), ...model('run/checkpoint-500') });
    expect(await openedNames(one)).toEqual(['(base)', 'run/checkpoint-500']);
    const two = filesOf({ ...model('base'), ...model('checkpoint-5'), ...model('checkpoint-9') });
    expect(await openedNames(two)).toEqual(['(base)', 'checkpoint-5', 'checkpoint-9']);
  });

  it('takes the state that accelerate saves, its pickles left aside', async () => {
    const state = {
      'state/model.safetensors': MODEL,
      'state/optimizer.bin': 'x',
      'state/random_states_0.pkl': 'x',
      'state/custom_checkpoint_0.pkl': 'x',
    };
    expect(await openedNames(filesOf({ ...model('base'), ...state }))).toEqual(['(base)', 'state']);
  });
});

describe('modules', () => {
  it('11-sentence-transformers-dense: merges the bodies, not the dense layers', async () => {
    const files = caseFiles('11-sentence-transformers-dense');
    expect(await openedNames(files)).toEqual(['(base)', 'news', 'papers']);
  });

  it('finds the body in the first module of encoders saved before', async () => {
    const encoder = (name: string) => ({
      [`${name}/modules.json`]: '[]',
      ...model(`${name}/0_Transformer`),
      [`${name}/1_Pooling/config.json`]: '{}',
      [`${name}/2_Dense/config.json`]: '{}',
      [`${name}/2_Dense/model.safetensors`]: { tensors: { 'linear.weight': 'F32[4,8]' } },
    });
    const files = filesOf({ ...encoder('base'), ...encoder('news') });
    expect(await openedNames(files)).toEqual(['(base)', 'news']);
  });

  it('asks for one model of a pipeline, and merges it alone', async () => {
    const unet = (name: string) => ({
      [`${name}/unet/config.json`]: '{}',
      [`${name}/unet/diffusion_pytorch_model.safetensors`]: MODEL,
      [`${name}/unet/diffusion_pytorch_model.fp16.safetensors`]: MODEL,
    });
    const pipeline = (name: string) => ({
      [`${name}/model_index.json`]: '{}',
      ...model(`${name}/text_encoder`),
      [`${name}/text_encoder/model.fp16.safetensors`]: MODEL,
      ...unet(name),
      [`${name}/vae/diffusion_pytorch_model.safetensors`]: MODEL,
    });
    const told = await refusal(filesOf({ ...pipeline('sd-base'), ...pipeline('anime') }));
    expect(told).toContain('sd-base is a pipeline of several models: text_encoder, unet, vae');
    const units = filesOf({ ...unet('sd-base'), ...unet('anime') });
    expect(await openedNames(units, units[1]!.path)).toEqual(['(sd-base/unet)', 'anime/unet']);
  });

  it('knows a pipeline without its list, and an encoder with two towers', async () => {
    const pipeline = { ...model('sd/text_encoder'), ...model('sd/unet') };
    expect(await refusal(filesOf({ ...model('base'), ...pipeline }))).toContain(
      'sd is a pipeline of several models: text_encoder, unet',
    );
    const router = {
      'both/modules.json': '[]',
      ...model('both/query_0_Transformer'),
      ...model('both/document_0_Transformer'),
    };
    expect(await refusal(filesOf({ ...model('base'), ...router }))).toContain(
      'both is a pipeline of several models: document_0_Transformer, query_0_Transformer',
    );
  });

  it('leaves out what shares no tensor with the model it lies in', async () => {
    const codec = (name: string) => ({
      [`${name}/speech_tokenizer/config.json`]: '{}',
      [`${name}/speech_tokenizer/model.safetensors`]: {
        tensors: { 'decoder.conv.weight': 'F32[4,4,3]' },
      },
    });
    const files = filesOf({
      ...model('base'),
      ...codec('base'),
      ...model('voice'),
      ...codec('voice'),
    });
    expect(await openedNames(files)).toEqual(['(base)', 'voice']);
    const adapted = filesOf({ ...model('base'), ...codec('base'), ...adapter('lora') });
    expect(await openedNames(adapted)).toEqual(['(base)', 'lora']);
    // Fine-tunes that were put into the folder of their base are none of its parts.
    const nested = filesOf({ ...model('base'), ...model('base/one'), ...model('base/two') });
    expect(await openedNames(nested, 'base/model.safetensors')).toEqual(['(base)', 'one', 'two']);
  });

  it('leaves out copies in other formats', async () => {
    const files = filesOf({ ...model('base'), ...model('base/original'), ...model('task') });
    expect(await openedNames(files)).toEqual(['(base)', 'task']);
  });
});

describe('beside adapters', () => {
  it('27-value-head-beside-adapter: a head is no base', async () => {
    const files = caseFiles('27-value-head-beside-adapter');
    expect(await openedNames(files)).toEqual(['(base)', 'reward', 'sft']);
  });

  it('leaves heads of any name alone, in steps too, and still takes a base that lies there', async () => {
    const head = { tensors: { 'v_head.weight': 'F32[1,8]' } };
    const files = filesOf({
      ...model('base'),
      ...adapter('reward'),
      'reward/new_head.safetensors': head,
      ...adapter('reward/checkpoint-5'),
      'reward/checkpoint-5/value_head.safetensors': head,
    });
    expect(await openedNames(files)).toEqual(['(base)', 'reward']);
    expect(await openedNames(filesOf({ ...model('m'), ...adapter('m') }))).toEqual(['(m)', 'm']);
    const { error } = await openFiles(
      filesOf({ ...model('base'), ...model('m'), ...adapter('m') }),
    );
    expect(error).toMatchObject({
      kind: 'choose-base',
      choices: [{ name: 'base' }, { name: 'm' }],
    });
  });
});
