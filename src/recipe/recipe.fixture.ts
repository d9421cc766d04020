/** Recipes for tests: one of full fine-tunes from the Hub, one of adapters from files. */
import { type RecipeFile } from './recipe-file';

const COMMIT = 'c'.repeat(40);
const hash = (digit: string): string => digit.repeat(64);

export const SPARSE_RECIPE: RecipeFile = {
  peru: 1,
  title: 'Two image tasks',
  group: { kind: 'hub', hub: 'https://hub.test', preset: 'clip-b32' },
  merge: { method: 'task-arithmetic', lambda: 0.3, dtype: 'BF16' },
  compress: { method: 'peru-fft', m: 10, scope: 'global', values: 'F16' },
  include: ['vision_model.*'],
  exclude: ['*.bias'],
  base: {
    name: 'clip',
    repo: 'openai/clip',
    commit: COMMIT,
    files: [{ path: 'model.safetensors', bytes: 605_000_000, sha256: hash('a') }],
  },
  tasks: [
    {
      task: 'cars',
      name: 'clip-cars',
      repo: 'someone/clip-cars',
      commit: COMMIT,
      folder: 'weights/last',
      files: [{ path: 'weights/last/model.safetensors', bytes: 350_000_000, sha256: hash('b') }],
    },
    {
      task: 'Ziffern/ÄÖ',
      name: 'clip-digits',
      repo: 'someone/clip-digits',
      commit: COMMIT,
      files: [{ path: 'model.safetensors', bytes: 350_000_000, sha256: hash('d') }],
    },
  ],
};

export const ADAPTER_RECIPE: RecipeFile = {
  peru: 1,
  title: 'Adapters from a disk',
  group: { kind: 'files' },
  merge: { method: 'simple-average', dtype: 'F32' },
  compress: { method: 'peru-lora', q: 8 },
  base: {
    name: 't5',
    files: [{ path: 'model.safetensors', bytes: 12, sha256: hash('1') }],
  },
  tasks: [
    {
      task: 'a',
      name: 'a-lora',
      files: [
        { path: 'adapter_config.json', bytes: 3, sha256: hash('2') },
        { path: 'adapter_model.safetensors', bytes: 4, sha256: hash('3') },
      ],
    },
  ],
};
