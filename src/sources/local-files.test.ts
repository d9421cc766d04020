import { describe, expect, it } from 'vitest';
import { f32, soundFile } from '@/tensor/safetensors.fixture';
import { openWeights } from '@/formats/checkpoint/checkpoint-source';
import { groupLocalFiles } from './local-files';

const drop = (...paths: string[]) => paths.map((path) => ({ path, file: new Blob([path]) }));
const named = (...paths: string[]) => {
  const { checkpoints, ignored } = groupLocalFiles(drop(...paths));
  return {
    names: checkpoints.map(({ name }) => name),
    ids: checkpoints.map(({ id }) => id),
    ignored,
  };
};

describe('groupLocalFiles', () => {
  it('takes each folder laid out as a repo for one checkpoint', () => {
    const { names, ids } = named(
      'all/base/config.json',
      'all/base/model.safetensors',
      'all/base/README.md',
      'all/mnist/config.json',
      'all/mnist/model.safetensors',
    );
    expect(names).toEqual(['base', 'mnist']);
    expect(ids).toEqual(['all/base/model.safetensors', 'all/mnist/model.safetensors']);
  });

  it('takes loose files for one checkpoint each, named after the file', () => {
    expect(named('base.safetensors', 'mnist.safetensors').names).toEqual(['base', 'mnist']);
    expect(named('dir/a.safetensors', 'dir/b.safetensors').names).toEqual(['a', 'b']);
    expect(named('dir/a.safetensors').names).toEqual(['dir']);
  });

  it('lets a checkpoint open the files beside it, and no others', async () => {
    const { checkpoints } = groupLocalFiles(
      drop('a/config.json', 'a/model.safetensors', 'b/model.safetensors', 'b/README.md'),
    );
    const [a, b] = checkpoints;
    expect(await (await a!.open('config.json'))!.text()).toBe('a/config.json');
    expect(await b!.open('config.json')).toBeNull();
    expect(await (await b!.open('README.md'))!.text()).toBe('b/README.md');
  });

  it('tells apart folders of the same name by as much of their path as it takes', () => {
    const { names } = named(
      'x/run/ckpt/model.safetensors',
      'y/run/ckpt/model.safetensors',
      'y/run/other/model.safetensors',
    );
    expect(names).toEqual(['x/run/ckpt', 'y/run/ckpt', 'other']);
  });

  it('prefers safetensors where a repo has pickles too, and variants stay out', () => {
    const { ids } = named(
      'clip/config.json',
      'clip/model.safetensors',
      'clip/model.fp16.safetensors',
      'clip/pytorch_model.bin',
      'clip/training_args.bin',
    );
    expect(ids).toEqual(['clip/model.safetensors']);
  });

  it('leaves by-products inside a checkpoint and hidden files alone', () => {
    const { names, ignored } = named(
      'clip/config.json',
      'clip/model.safetensors',
      'clip/onnx/model.onnx',
      'clip/runs/step/optimizer.pt',
      'clip/text_config/config.json',
      'clip/._model.safetensors',
      'clip/.cache/huggingface/model.safetensors',
    );
    expect(names).toEqual(['clip']);
    expect(ignored).toHaveLength(5);
  });

  it('refuses a pickle among loose checkpoints, which has no safetensors copy', () => {
    expect(() => named('base.safetensors', 'pytorch_model.bin')).toThrow('pytorch_model.bin');
  });

  it('refuses a pickle beside the checkpoint of another folder', () => {
    expect(() => named('base/model.safetensors', 'mnist/pytorch_model.bin')).toThrow(/mnist/);
    expect(() => named('base.safetensors', 'mnist/pytorch_model.bin')).toThrow(/mnist/);
  });

  it('lists what belongs to no checkpoint', () => {
    expect(named('notes/todo.txt', '.DS_Store', 'm/model.safetensors').ignored).toEqual([
      'notes/todo.txt',
      '.DS_Store',
    ]);
  });

  it.each(['pytorch_model.bin', 'model.pt', 'model.PTH', 'last.ckpt', 'x.pkl'])(
    'refuses the pickle %s by name and says how to convert',
    (name) => {
      const refused = () => groupLocalFiles(drop(`run/${name}`, 'run/config.json'));
      expect(refused).toThrow(`run/${name} is a PyTorch pickle`);
      expect(refused).toThrow(
        expect.objectContaining({
          kind: 'unsupported',
          hint: expect.stringContaining('safe_serialization=True') as string,
        }) as Error,
      );
    },
  );

  it.each([
    ['GGUF files', ['q4.gguf'], /q4\.gguf is not a safetensors file/],
    ['a config without weights', ['m/config.json'], /m came without weights/],
    ['an adapter without its config', ['l/adapter_model.safetensors'], /l\/adapter_model.*without/],
    ['an adapter without its weights', ['l/adapter_config.json'], /no adapter_model.* folder l/],
    ['a loose adapter config', ['adapter_config.json'], /in the files added/],
    [
      "a model with an adapter's config",
      ['m/model.safetensors', 'm/adapter_config.json'],
      /no ada/,
    ],
    ['other files', ['a.txt', 'b.txt', 'c.txt', 'd.txt'], /a\.txt, b\.txt, c\.txt and 1 more/],
    ['nothing', [], /No files/],
  ])('refuses %s', (_, paths, message) => {
    expect(() => groupLocalFiles(drop(...paths))).toThrow(message);
  });

  it('refuses a pickled adapter by name and says how to convert', () => {
    for (const beside of [['l/adapter_config.json'], []]) {
      const refused = () => groupLocalFiles(drop('l/adapter_model.bin', ...beside));
      expect(refused).toThrow('l/adapter_model.bin is a PyTorch pickle');
      expect(refused).toThrow(
        expect.objectContaining({
          kind: 'unsupported',
          hint: expect.stringContaining('PeftModel.from_pretrained') as string,
        }) as Error,
      );
    }
  });

  it('strips leading slashes and dots of dropped paths', () => {
    expect(named('/a/model.safetensors', './b/model.safetensors').ids).toEqual([
      'a/model.safetensors',
      'b/model.safetensors',
    ]);
  });
});

describe('groupLocalFiles on adapters', () => {
  const saved = (folder: string) => [
    `${folder}/adapter_config.json`,
    `${folder}/adapter_model.safetensors`,
  ];
  const grouped = (...paths: string[]) => {
    const { checkpoints, adapters, ignored } = groupLocalFiles(drop(...paths));
    const names = (sources: readonly { name: string }[]) => sources.map(({ name }) => name);
    return { checkpoints: names(checkpoints), adapters: names(adapters), ignored };
  };

  it('tells adapters from full checkpoints by their files', async () => {
    const paths = ['t5/config.json', 't5/model.safetensors', ...saved('l/cola'), ...saved('l/rte')];
    expect(grouped(...paths)).toEqual({
      checkpoints: ['t5'],
      adapters: ['cola', 'rte'],
      ignored: [],
    });
    const { adapters } = groupLocalFiles(drop(...paths));
    expect(adapters.map(({ id }) => id)).toEqual([
      'l/cola/adapter_model.safetensors',
      'l/rte/adapter_model.safetensors',
    ]);
    expect(await (await adapters[1]!.open('adapter_config.json'))!.text()).toBe(
      'l/rte/adapter_config.json',
    );
    expect(await adapters[1]!.open('model.safetensors')).toBeNull();
  });

  it('finds an adapter in the folder of its base, and among loose files', () => {
    expect(grouped('m/config.json', 'm/model.safetensors', ...saved('m'))).toMatchObject({
      checkpoints: ['m'],
      adapters: ['m'],
    });
    const loose = ['base.safetensors', 'adapter_config.json', 'adapter_model.safetensors'];
    expect(grouped(...loose)).toMatchObject({ checkpoints: ['base'], adapters: ['adapter'] });
  });

  it('leaves by-products of training alone, pickles too', () => {
    const steps = [...saved('l/checkpoint-500'), 'l/checkpoint-500/optimizer.pt'];
    const byProducts = ['l/training_args.bin', 'l/runs/events.bin', 'l/adapter_model.bin'];
    const { adapters, checkpoints, ignored } = grouped(...saved('l'), ...steps, ...byProducts);
    expect(adapters).toEqual(['l']);
    expect(checkpoints).toEqual([]);
    expect(ignored).toEqual([...steps, 'l/runs/events.bin']);
  });

  it('takes steps of training that were added by themselves, and named adapters in one folder', () => {
    expect(grouped(...saved('checkpoint-5'), ...saved('checkpoint-9')).adapters).toEqual([
      'checkpoint-5',
      'checkpoint-9',
    ]);
    expect(grouped(...saved('l'), ...saved('l/second')).adapters).toEqual(['l', 'second']);
  });

  it('still refuses pickles of other folders', () => {
    expect(() => grouped(...saved('l'), 'm/pytorch_model.bin')).toThrow(/m\/pytorch_model\.bin/);
  });
});

describe('openWeights', () => {
  const shard = (name: string) => new Blob([soundFile({ [name]: f32([1], [1]) })]);
  const index = (map: unknown) => new Blob([JSON.stringify({ weight_map: map })]);
  const first = 'model-00001-of-00002.safetensors';
  const second = 'model-00002-of-00002.safetensors';
  const sharded = (map: unknown, withSecond = true) =>
    groupLocalFiles([
      { path: 'big/config.json', file: new Blob(['{}']) },
      { path: 'big/model.safetensors.index.json', file: index(map) },
      { path: `big/${first}`, file: shard('a') },
      ...(withSecond ? [{ path: `big/${second}`, file: shard('b') }] : []),
    ]).checkpoints;

  it('reads the shards an index names as one checkpoint', async () => {
    const checkpoints = sharded({ a: first, b: second });
    expect(checkpoints).toHaveLength(1);
    const weights = await openWeights(checkpoints[0]!);
    expect([...weights.tensors.keys()]).toEqual(['a', 'b']);
    expect(weights.name).toBe('big');
  });

  it('names the shard that is missing', async () => {
    const [checkpoint] = sharded({ a: first, b: second }, false);
    await expect(openWeights(checkpoint!)).rejects.toMatchObject({
      kind: 'source',
      message: expect.stringContaining(second) as string,
    });
  });

  it('refuses an index that does not fit its shards', async () => {
    for (const map of [
      { a: first, b: second, c: first },
      { a: second, b: first },
    ]) {
      await expect(openWeights(sharded(map)[0]!)).rejects.toThrow(/Tensor "[ac]" is not in big/);
    }
  });

  it.each([
    ['no weight_map', undefined, 'parse'],
    ['shards elsewhere', { a: '../secret.safetensors' }, 'unsupported'],
    ['pickled shards', { a: 'pytorch_model-00001-of-00002.bin' }, 'unsupported'],
    ['numbers', { a: 1 }, 'unsupported'],
  ])('refuses an index with %s', async (_, map, kind) => {
    await expect(openWeights(sharded(map)[0]!)).rejects.toMatchObject({ kind });
  });

  it('names the file a refusal is about', async () => {
    const [checkpoint] = groupLocalFiles([
      { path: 'm/model.safetensors', file: new Blob(['nonsense']) },
    ]).checkpoints;
    await expect(openWeights(checkpoint!)).rejects.toThrow(/^m\/model\.safetensors /);
  });
});
