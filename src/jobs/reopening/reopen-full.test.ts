/** Exports of full fine-tunes, written by the export itself and opened again. */
import { usePageFiles } from '@/jobs/context/page-files.fixture';
import { TEST_OPTIONS } from '@/jobs/context/test-platform.fixture';
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { mergedIndex, mergedShards } from '@/export/merged-size';
import { mergedSha } from '@/export/verify-file';
import { openWeights } from '@/formats/checkpoint/checkpoint-source';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { soundFile, type FixtureTensor } from '@/tensor/safetensors.fixture';
import { VALUE_FORMATS } from '@/codecs/value-formats';
import { FLOAT_DTYPES } from '@/tensor/dtype';
import { type RecipeFile } from '@/recipe/recipe-file';
import { sourcesWithBase } from '@/jobs/open/with-base.fixture';
import { type SourceRequest } from '@/protocol/requests';
import {
  dropped,
  type Exported,
  exportOf,
  fileAt,
  type Files,
  FULL_REQUEST,
  loadFull as load,
  preflightOf,
  RECIPE,
  roundTrip,
} from './reopen.fixture';

usePageFiles();

const SPARSE = 'pets.sparse.safetensors';

describe.each(VALUE_FORMATS)('with values of %s', (valueDtype) => {
  it.each(FLOAT_DTYPES)(
    'merged as %s, the models are the scored ones, bit for bit',
    async (dtype) => {
      const recipe = { ...RECIPE, valueDtype, mergedDtype: dtype };
      const { differing, compared, engine } = await roundTrip(recipe);
      expect([engine, differing, compared]).toEqual(['processor', [], 9]);
    },
  );
});

describe('an export that is opened again', () => {
  let files: Exported;
  beforeAll(async () => {
    files = await exportOf(FULL_REQUEST, RECIPE);
  });

  const without = (...names: readonly string[]): Exported =>
    new Map([...files].filter(([path]) => !names.includes(path)));
  const withFile = (path: string, content: Uint8Array<ArrayBuffer>): Exported =>
    new Map([...files, [path, content]]);
  const open = (folder: Files | Exported) =>
    sourcesWithBase(
      { kind: 'files', files: folder instanceof Map ? dropped(folder) : ([...folder] as Files) },
      TEST_OPTIONS,
    );

  it('takes heads and tied copies along', async () => {
    const group = await load({ kind: 'files', files: dropped(files) });
    expect(group.plan.own).toEqual([['classifier.weight'], []]);
    expect([...group.plan.tied]).toEqual([['lm_head.weight', 'model.embed_tokens.weight']]);
    expect(group.plan.untouched).toEqual(['ids', 'text.weight']);
  });

  it('is scored by the demo’s test sets where it was made from the demo', async () => {
    const recipe = JSON.parse(new TextDecoder().decode(files.get('recipe.json'))) as RecipeFile;
    const { tasks } = recipe;
    const ofDemo = {
      ...recipe,
      group: { kind: 'demo', demo: 'fft' },
      tasks: [
        { ...tasks[0]!, task: 'digits' },
        { ...tasks[1]!, task: 'textures' },
      ],
    };
    const text = new TextEncoder().encode(JSON.stringify(ofDemo));
    const renamed: Exported = new Map([
      ...without('pets.sparse.safetensors', 'Cars-more.sparse.safetensors'),
      ['digits.sparse.safetensors', files.get('Cars-more.sparse.safetensors')!],
      ['textures.sparse.safetensors', files.get('pets.sparse.safetensors')!],
      ['recipe.json', text],
    ]);
    const group = await open(renamed);
    expect(group.tasks.map(({ name, title, scoredOn }) => [name, title, scoredOn?.kind])).toEqual([
      ['digits', 'Digits', 'image'],
      ['textures', 'Textures', 'image'],
    ]);
    expect(group.findings!.some(({ level }) => level === 'note')).toBe(false);
    // Of a preset, the repos say which task it is.
    const ofPreset = {
      ...recipe,
      group: { kind: 'hub', preset: 'clip-vit-base-patch32' },
      tasks: [
        { ...tasks[0]!, repo: 'tanganke/clip-vit-base-patch32_sun397' },
        { ...tasks[1]!, repo: 'somebody/else' },
      ],
    };
    const bytes = new TextEncoder().encode(JSON.stringify(ofPreset));
    const preset = await open(withFile('recipe.json', bytes));
    expect(preset.tasks.map(({ name, title, scoredOn }) => [name, title, scoredOn?.name])).toEqual([
      ['Cars & more', 'SUN397', 'tanganke/sun397'],
      ['pets', 'pets', undefined],
    ]);
  });

  it('can be exported once more', async () => {
    const again = await exportOf({ kind: 'files', files: dropped(files) }, RECIPE);
    const { tasks } = await open(again);
    expect(tasks.map(({ name }) => name)).toEqual(['Cars & more', 'pets']);
    const recipe = JSON.parse(new TextDecoder().decode(again.get('recipe.json'))) as RecipeFile;
    const sparse = sha256(files.get(SPARSE)!);
    expect(recipe.tasks[1]!.files.map((file) => file.sha256)).toContain(sparse);
    expect(recipe.base.files.map((file) => file.sha256)).toContain(
      sha256(files.get('merged.safetensors')!),
    );
  });

  it('needs no folder', async () => {
    const { kind, tasks, base } = await sourcesWithBase(
      { kind: 'files', files: dropped(files, '') },
      TEST_OPTIONS,
    );
    expect([kind, base.name, tasks.length]).toEqual(['full', 'merged', 2]);
  });

  it('says where it came from, and why it is not scored', async () => {
    const report = await preflightOf({ kind: 'files', files: dropped(files) });
    expect(report.title).toBe('Opened again: Your files');
    expect(report.findings.filter(({ topic }) => topic === 'sources')).toMatchObject([
      { level: 'note', title: expect.stringMatching(/names no test sets/) as string },
    ]);
    const bare = await preflightOf({ kind: 'files', files: dropped(without('recipe.json')) });
    expect(bare.checkpoints.map(({ name }) => name)).toEqual(['merged', 'Cars & more', 'pets']);
    expect(bare.findings.filter(({ topic }) => topic === 'sources')).toMatchObject([
      { level: 'note', title: expect.stringMatching(/no recipe\.json/) as string },
    ]);
  });

  it('opens with some of its tasks, and tells which are left out', async () => {
    const { tasks, findings } = await open(without(SPARSE));
    expect(tasks.map(({ name }) => name)).toEqual(['Cars & more']);
    expect(findings!.map(({ title }) => title)).toContain(
      'pets is left out: pets.sparse.safetensors is not among the files opened.',
    );
  });

  it('tells a renamed file from the recipe’s tasks', async () => {
    const renamed = new Map([...without(SPARSE), ['dogs.sparse.safetensors', files.get(SPARSE)!]]);
    const { tasks, findings } = await open(renamed);
    expect(tasks.map(({ name }) => name)).toEqual(['Cars & more', 'dogs']);
    expect(findings).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        title: expect.stringMatching(/^dogs\.sparse\.safetensors is none/) as string,
      }),
    );
  });

  it('warns of a recipe.json from elsewhere', async () => {
    const other = await exportOf(FULL_REQUEST, { ...RECIPE, keptPercent: 3 });
    const { findings } = await open(withFile('recipe.json', other.get('recipe.json')!));
    const warned = findings!.filter(({ level }) => level === 'warning');
    expect(warned.map(({ title }) => title)).toEqual([
      'recipe.json is not the recipe that Cars-more.sparse.safetensors was made by.',
      'recipe.json is not the recipe that pets.sparse.safetensors was made by.',
    ]);
  });

  it('takes a merged model in shards, as the sparse files name it', async () => {
    const whole = new Blob([files.get('merged.safetensors')!]);
    const { tensors } = await readSafetensorsHeader(whole, 'merged');
    const shards = mergedShards({ baseTensors: tensors, recipeJson: '{}', maxShardBytes: 2000 });
    expect(shards.length).toBeGreaterThan(1);
    const sharded = new Map(without('merged.safetensors'));
    for (const { name, entries } of shards) {
      const parts = entries.map((entry): [string, FixtureTensor] => {
        const { byteStart, byteLength } = tensors.get(entry.name)!;
        const bytes = files.get('merged.safetensors')!.slice(byteStart, byteStart + byteLength);
        return [entry.name, { ...entry, bytes }];
      });
      sharded.set(name, soundFile(Object.fromEntries(parts)));
    }
    sharded.set('model.safetensors.index.json', new TextEncoder().encode(mergedIndex(shards)));
    const hashes = shards.map(({ name }) => sha256(sharded.get(name)!));
    const [old, joined] = [sha256(files.get('merged.safetensors')!), await mergedSha(hashes)];
    for (const path of [SPARSE, 'Cars-more.sparse.safetensors']) {
      sharded.set(path, replaced(files.get(path)!, old, joined));
    }
    const { base, tasks } = await open(sharded);
    const [one, other] = [await openWeights(base), await openWeights((await open(files)).base)];
    expect(new Set(one.tensors.keys())).toEqual(new Set(other.tensors.keys()));
    expect(tasks).toHaveLength(2);
    sharded.set(SPARSE, files.get(SPARSE)!);
    await expect(open(sharded)).rejects.toThrow(/pets.*made for another merged model/);
  });

  it('stands alone: other models, or another export, are refused by name', async () => {
    const twice = [...dropped(files), ...dropped(files, 'second')];
    await expect(open(twice)).rejects.toThrow(/^out is an export .* second was added/);
    const beside = [
      ...dropped(files),
      fileAt('other.safetensors', files.get('merged.safetensors')!),
    ];
    await expect(open(beside)).rejects.toThrow(/^out is an export .* added beside/);
  });

  it.each([
    [
      'the merged model',
      ['merged.safetensors', 'model.safetensors.index.json'],
      /without its merged/,
    ],
    ['the file that the index names', ['merged.safetensors'], /has no file merged\.safetensors/],
  ])('is refused without %s', async (_, missing, message) => {
    await expect(open(without(...missing))).rejects.toThrow(message);
    await expect(open(without(...missing))).rejects.toMatchObject({ kind: 'source' });
  });

  it('opens without the index, too', async () => {
    expect((await open(without('model.safetensors.index.json'))).tasks).toHaveLength(2);
  });

  it.each([
    [
      'another merged model',
      (bytes: Uint8Array<ArrayBuffer>) => withFile('merged.safetensors', flipped(bytes)),
      'mismatch',
      /was made for another merged model/,
    ],
  ])('is refused for %s', async (_, spoil, kind, message) => {
    const spoiled = spoil(files.get('merged.safetensors')!);
    await expect(open(spoiled)).rejects.toMatchObject({ kind });
    await expect(open(spoiled)).rejects.toThrow(message);
  });

  it.each([
    ['cut short', (bytes: Uint8Array<ArrayBuffer>) => bytes.slice(0, -3), 'parse', /truncated/],
    [
      'cut in its header',
      (bytes: Uint8Array<ArrayBuffer>) => bytes.slice(0, 100),
      'parse',
      /truncated/,
    ],
    [
      'of a newer version',
      (bytes: Uint8Array<ArrayBuffer>) => replaced(bytes, '"version":"1"', '"version":"3"'),
      'unsupported',
      /version 3/,
    ],
    [
      'for a tensor that the merged model lacks',
      (bytes: Uint8Array<ArrayBuffer>) =>
        replaced(
          replaced(bytes, '"b.weight.gaps"', '"c.weight.gaps"'),
          '"b.weight.values"',
          '"c.weight.values"',
        ),
      'mismatch',
      /changes the tensor "c\.weight"/,
    ],
  ])('refuses a sparse file %s, naming it', async (_, spoil, kind, message) => {
    const spoiled = withFile(SPARSE, spoil(files.get(SPARSE)!));
    await expect(open(spoiled)).rejects.toMatchObject({ kind });
    await expect(open(spoiled)).rejects.toThrow(message);
    await expect(open(spoiled)).rejects.toThrow(/out\/pets\.sparse\.safetensors/);
  });

  it('refuses gaps that run past the tensor when they are read', async () => {
    const bytes = files.get(SPARSE)!.slice();
    const header = await readSafetensorsHeader(new Blob([bytes]), SPARSE);
    const { byteStart, byteLength } = header.tensors.get('b.weight.gaps')!;
    bytes.fill(254, byteStart, byteStart + byteLength);
    const request: SourceRequest = { kind: 'files', files: dropped(withFile(SPARSE, bytes)) };
    await expect(load(request)).rejects.toThrow(
      /out\/pets\.sparse\.safetensors can not be added to "b\.weight": its gaps reach .* past the tensor's end/,
    );
  });

  it('explains a sparse file under another name', async () => {
    const files2 = [
      fileAt('a.safetensors', files.get(SPARSE)!),
      fileAt('b.safetensors', files.get('merged.safetensors')!),
    ];
    await expect(open(files2)).rejects.toThrow(/a\.safetensors is a sparse vector/);
  });
});

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function flipped(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const other = bytes.slice();
  other[other.length - 1]! ^= 1;
  return other;
}

/** The file with a text of its header replaced by one of the same length. */
function replaced(
  bytes: Uint8Array<ArrayBuffer>,
  from: string,
  to: string,
): Uint8Array<ArrayBuffer> {
  const at = Buffer.from(bytes).indexOf(from);
  if (at < 0 || from.length !== to.length) throw new Error(`There is no ${from}.`);
  const other = bytes.slice();
  other.set(new TextEncoder().encode(to), at);
  return other;
}
