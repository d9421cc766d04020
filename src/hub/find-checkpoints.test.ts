import { describe, expect, it } from 'vitest';
import { findCheckpoints } from './find-checkpoints';

/** Models of a repo, `+` before adapters; shards without an index in brackets. */
function found(paths: readonly string[], within = ''): string[] {
  return findCheckpoints(paths, within).models.map((model) => {
    const { kind, folder, weightsPath } = model;
    const shards = model.kind === 'checkpoint' ? model.shards : undefined;
    const path = folder === '' ? weightsPath : `${folder}/${weightsPath}`;
    const all = shards === undefined ? '' : ` [${shards.length}]`;
    return `${kind === 'adapter' ? '+' : ''}${path}${all}`;
  });
}

const shards = (count: number) =>
  Array.from({ length: count }, (_, i) => `model-0000${i + 1}-of-0000${count}.safetensors`);
const INDEX = 'model.safetensors.index.json';
const ADAPTER = ['adapter_config.json', 'adapter_model.safetensors'];

describe('findCheckpoints', () => {
  it('takes the file beside an index, and the index beside Mistral’s own file', () => {
    expect(found(['model.safetensors', INDEX, ...shards(2)])).toEqual(['model.safetensors']);
    expect(found(['consolidated.safetensors', INDEX, ...shards(2)])).toEqual([INDEX]);
  });

  it('takes shards without an index for one checkpoint, and names those that are missing', () => {
    expect(found(['config.json', ...shards(3)])).toEqual([`${shards(3)[0]!} [3]`]);
    expect(() => found(['config.json', ...shards(3).slice(1)])).toThrow(
      /model-00001-of-00003\.safetensors is missing/,
    );
  });

  it('opens a shard or a step that was named itself', () => {
    const [first] = shards(2);
    expect(found([...shards(2), INDEX], first)).toEqual([]);
    const step = ['checkpoint-5/config.json', 'checkpoint-5/model.safetensors'];
    expect(found(['model.safetensors', ...step], 'checkpoint-5')).toEqual([step[1]]);
    expect(found(['model.safetensors', ...step])).toEqual(['model.safetensors']);
  });

  it('leaves out modules, steps and heads', () => {
    expect(
      found([
        'modules.json',
        'model.safetensors',
        '2_Dense/model.safetensors',
        '2_Dense/config.json',
      ]),
    ).toEqual(['model.safetensors']);
    expect(
      found([...ADAPTER, 'value_head.safetensors', 'last-checkpoint/model.safetensors']),
    ).toEqual(['+adapter_model.safetensors']);
  });

  it('takes the adapter of a folder that holds a model too, unless its file is named', () => {
    const both = ['config.json', 'model.safetensors', ...ADAPTER];
    expect(found(both)).toEqual(['+adapter_model.safetensors']);
    expect(found(both, 'model.safetensors')).toEqual(['model.safetensors']);
  });

  it('offers each model of a pipeline, in the file that diffusers opens', () => {
    const unet = 'unet/diffusion_pytorch_model';
    const files = ['model_index.json', 'text_encoder/model.safetensors', 'optimizer.bin'];
    const weights = [`${unet}.safetensors`, `${unet}.fp16.safetensors`, `${unet}.bin`];
    expect(found([...files, ...weights])).toEqual([
      'text_encoder/model.safetensors',
      `${unet}.safetensors`,
    ]);
    expect(findCheckpoints([...files, ...weights], '').pickles).toEqual([`${unet}.bin`]);
  });
});
