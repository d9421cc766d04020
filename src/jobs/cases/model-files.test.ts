/** Which files are the model: shards, copies and what is added later; and its configuration. */
import { describe, expect, it } from 'vitest';
import { caseFiles, filesOf, type FileHeader } from './case-files.fixture';
import {
  ADAPTER_CONFIG,
  CONFIG,
  MODEL,
  adapter,
  model,
  openedNames,
  refusal,
} from './model-folders.fixture';
import { openFiles } from './open-files.fixture';

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
