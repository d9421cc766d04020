/** What lies inside a model's folder: steps, modules, shards, heads, and which file is the model. */
import { describe, expect, it } from 'vitest';
import { type AddedFile, caseFiles, filesOf, type FileHeader } from './case-files.fixture';
import { openFiles } from './open-files.fixture';

const MODEL: FileHeader = {
  metadata: { format: 'pt' },
  tensors: { 'encoder.layer.0.dense.weight': 'F32[8,8]', 'encoder.layer.0.dense.bias': 'F32[8]' },
};
const CONFIG = '{"model_type":"bert"}';
const model = (folder: string) => ({
  [`${folder}/config.json`]: CONFIG,
  [`${folder}/model.safetensors`]: MODEL,
});
const ADAPTER: FileHeader = {
  tensors: {
    'base_model.model.encoder.layer.0.dense.lora_A.weight': 'F32[2,8]',
    'base_model.model.encoder.layer.0.dense.lora_B.weight': 'F32[8,2]',
  },
};
const ADAPTER_CONFIG = JSON.stringify({
  peft_type: 'LORA',
  r: 2,
  lora_alpha: 2,
  target_modules: ['dense'],
});
const adapter = (folder: string) => ({
  [`${folder}/adapter_config.json`]: ADAPTER_CONFIG,
  [`${folder}/adapter_model.safetensors`]: ADAPTER,
});

/** What opened: the base, then the tasks. */
async function openedNames(files: readonly AddedFile[], base?: string) {
  const { preflight, error } = await openFiles(files, base);
  expect(error).toBeNull();
  return preflight!.checkpoints.map(({ name, role }) => (role === 'base' ? `(${name})` : name));
}

async function refusal(files: readonly AddedFile[]) {
  const { error } = await openFiles(files);
  expect(error).not.toBeNull();
  return `${error!.message} ${error!.hint}`;
}

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

describe('shards and files', () => {
  const shard = (i: number, of: number, stem = 'model') =>
    `${stem}-0000${i}-of-0000${of}.safetensors`;
  const part = (name: string): FileHeader => ({ tensors: { [name]: 'F32[8,8]' } });
  const sharded = (folder: string, present = [1, 2, 3]) => ({
    [`${folder}/config.json`]: CONFIG,
    ...Object.fromEntries(present.map((i) => [`${folder}/${shard(i, 3)}`, part(`w${i}`)])),
  });

  it('25-shards-without-index: reads all shards as one checkpoint', async () => {
    const files = caseFiles('25-shards-without-index');
    const { preflight } = await openFiles(files);
    expect(preflight?.checkpoints.map(({ name }) => name)).toEqual(['base', 'one', 'two']);
    expect(preflight?.tensors.mergedTensors).toBe(21);
  });

  it('names the shards that are missing, and those of several saves', async () => {
    const holed = await refusal(filesOf({ ...sharded('base'), ...sharded('task', [2]) }));
    expect(holed).toContain(`in task is not whole: of its shards, ${shard(1, 3)}, ${shard(3, 3)}`);
    const stale = { [`task/${shard(1, 2)}`]: part('w1') };
    const mixed = await refusal(filesOf({ ...sharded('base'), ...sharded('task'), ...stale }));
    expect(mixed).toContain('Shards of several saves lie together in task');
    const indexed = caseFiles('25-shards-without-index').filter(
      ({ path }) => !/^one\/.*0000[25]-of/.test(path),
    );
    expect(await refusal(indexed)).toContain(
      'one has no file model-00002-of-00006.safetensors, model-00005-of-00006.safetensors',
    );
  });

  it.each(['model-00001-of-000002', 'model_1-of-2', 'pytorch_model-00001-of-00002'])(
    'counts shards as other programs number them: %s',
    async (first) => {
      const second = first.replace('1-of', '2-of');
      const loose = {
        [`task/${first}.safetensors`]: part('w1'),
        [`task/${second}.safetensors`]: part('w2'),
        'base/model.safetensors': { tensors: { w1: 'F32[8,8]', w2: 'F32[8,8]' } },
      };
      expect(await openedNames(filesOf(loose))).toEqual(['(base)', 'task']);
      const holed = filesOf(loose).filter(({ path }) => !path.includes(second));
      expect(await refusal(holed)).toContain(`of its shards, ${second}.safetensors is`);
    },
  );

  it('leaves copies for other programs aside, with a configuration and without', async () => {
    const files = filesOf({
      'base/model.safetensors': MODEL,
      'base/consolidated.safetensors': part('layers.0.wq'),
      'task/model.safetensors': MODEL,
      'task/pytorch_model.bin': 'x',
    });
    expect(await openedNames(files)).toEqual(['(base)', 'task']);
    const meant = filesOf({ 'base/model.safetensors': MODEL, 'base/task.bin': 'x' });
    expect(await refusal(meant)).toContain('base/task.bin is a PyTorch pickle');
  });

  it('takes loose shards of several models for as many checkpoints', async () => {
    const loose = (stem: string) =>
      Object.fromEntries([1, 2].map((i) => [shard(i, 2, stem), part(`w${i}`)]));
    const files = filesOf({ ...loose('base'), ...loose('task'), 'other.safetensors': part('w1') });
    expect(await openedNames(files, shard(1, 2, 'base'))).toEqual(['(base)', 'other', 'task']);
  });

  it('26-stale-index: reads the file beside an index, as from_pretrained does', async () => {
    const files = caseFiles('26-stale-index');
    const { preflight, error } = await openFiles(files);
    expect(error).toBeNull();
    const { file } = files.find(({ path }) => path === 'two/model.safetensors')!;
    const two = preflight?.checkpoints.find(({ name }) => name === 'two');
    expect(two?.id).toBe('two/model.safetensors');
    // The shards of the older save are other bytes.
    expect(two?.byteLength).toBe(file.size);
    expect(preflight?.tensors.mergedTensors).toBe(21);
  });

  it('leaves Mistral’s consolidated file aside, with an index and without', async () => {
    const index = JSON.stringify({
      weight_map: { w1: shard(1, 3), w2: shard(2, 3), w3: shard(3, 3) },
    });
    const consolidated = (folder: string) => ({
      [`${folder}/consolidated.safetensors`]: part('layers.0.wq'),
    });
    const files = filesOf({
      ...sharded('base'),
      ...consolidated('base'),
      'base/model.safetensors.index.json': index,
      ...sharded('task'),
      ...consolidated('task'),
    });
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

describe('files added one after the other', () => {
  it('31-same-name-size-time: are three checkpoints', async () => {
    const files = caseFiles('31-same-name-size-time');
    // As the list of files moves batches whose names are taken.
    const loose = files.map(({ file }, i) => ({
      path: i === 0 ? 'model.safetensors' : `added-${i + 1}/model.safetensors`,
      file,
    }));
    expect(await openedNames(loose, 'model.safetensors')).toHaveLength(3);
    const { preflight } = await openFiles(loose, 'model.safetensors');
    expect(preflight?.findings.map(({ title }) => title).join()).toContain(
      'one name, size and date',
    );
  });
});

describe('JSON as Python writes it', () => {
  it('09-config-infinity: the configuration is read', async () => {
    const { preflight } = await openFiles(caseFiles('09-config-infinity'));
    const about = preflight?.findings.filter(({ topic }) => topic === 'architecture');
    expect(about).toMatchObject([
      { level: 'ok', title: expect.stringContaining('mamba2') as string },
    ]);
  });

  it.each([
    ['a comma too many', CONFIG.replace('}', ',}'), 'is not valid JSON'],
    ['no object', '[]', 'holds no JSON object'],
    ['nothing', '', 'is not valid JSON'],
  ])('is told of where it is broken, and merged without: %s', async (_, config, reason) => {
    const files = filesOf({ ...model('base'), ...model('task'), 'task/config.json': config });
    const { preflight } = await openFiles(files);
    const about = preflight?.findings.filter(({ topic }) => topic === 'architecture');
    expect(about).toMatchObject([
      { level: 'warning', title: 'The configuration of task can not be read.' },
    ]);
    expect(about?.[0]?.detail).toContain(`task/config.json ${reason}`);
  });

  it('is read behind a byte order mark', async () => {
    const files = filesOf({
      ...model('base'),
      ...model('task'),
      'task/config.json': `\uFEFF${CONFIG}`,
    });
    const { preflight } = await openFiles(files);
    expect(preflight?.findings.filter(({ level }) => level === 'warning')).toEqual([]);
  });

  it('is read in an adapter’s configuration, too', async () => {
    const config = ADAPTER_CONFIG.replace('{', '{"init_lora_weights":NaN,');
    const files = filesOf({
      ...model('base'),
      ...adapter('lora'),
      'lora/adapter_config.json': config,
    });
    expect(await openedNames(files)).toEqual(['(base)', 'lora']);
  });
});
