/** Exports of adapters, and recipes beside their sources, opened again. */
import { usePageFiles } from '@/jobs/context/page-files.fixture';
import { TEST_OPTIONS } from '@/jobs/context/test-platform.fixture';
import { describe, expect, it } from 'vitest';
import { PEFT } from '@/formats/peft/peft-format';
import { recipeFileText } from '@/recipe/recipe-json';
import { sourcesWithBase } from '@/jobs/open/with-base.fixture';
import { exported, inFolder, loraRecipe, sources } from './reopen-adapters.fixture';
import {
  adapterBase,
  adapterGroup,
  dropped,
  exportOf,
  fileAt,
  type Files,
  FULL_REQUEST,
  fullGroup,
  RECIPE,
} from './reopen.fixture';

usePageFiles();

/** scale * B A of lora_A [2, 5] and lora_B [6, 2]. */
function product([a, b]: readonly Float32Array[], scale: number): number[] {
  return Array.from({ length: 30 }, (_, i) => {
    const [row, column] = [Math.floor(i / 5), i % 5];
    return scale * (b![2 * row]! * a![column]! + b![2 * row + 1]! * a![5 + column]!);
  });
}

const open = (files: Files) => sourcesWithBase({ kind: 'files', files }, TEST_OPTIONS);

describe('an export of adapters', () => {
  it('opens on a base that is added, and the merged adapter is no task', async () => {
    const group = await open([...exported(await loraRecipe()), ...adapterBase()]);
    expect(group).toMatchObject({ kind: 'adapters', lambda: 0.4, base: { name: 't5' } });
    expect(group.tasks.map(({ name, model }) => [name, model.id])).toEqual([
      ['CoLA/1', 'out/CoLA-1/adapter_model.safetensors'],
      ['rte', 'out/rte/adapter_model.safetensors'],
    ]);
    expect(sources(group.findings)).toEqual([
      expect.stringMatching(/^note: The recipe names no test sets/),
      expect.stringMatching(/^ok: The files are those/),
    ]);
  });

  it('warns of another base than the recipe’s, naming the file', async () => {
    const group = await open([...exported(await loraRecipe()), ...adapterBase(2)]);
    expect(sources(group.findings)).toContainEqual(
      expect.stringMatching(/^warning: t5\/model\.safetensors is not the file .* has SHA-256/),
    );
  });

  it('says which base to add', async () => {
    await expect(open(exported(await loraRecipe()))).rejects.toMatchObject({
      kind: 'source',
      message: expect.stringMatching(/without their base model, t5/) as string,
      hint: expect.stringMatching(/model\.safetensors \(SHA-256 [0-9a-f]{12}…\)/) as string,
    });
    const base = { ...(await loraRecipe()).base, repo: 'me/t5', commit: 'ab'.repeat(20) };
    const onHub = await loraRecipe({ group: { kind: 'hub' }, base });
    await expect(open(exported(onHub))).rejects.toMatchObject({
      hint: expect.stringContaining(`me/t5@${'ab'.repeat(20)} from the Hub`) as string,
    });
  });

  it('of the demo brings base and test sets along', async () => {
    const { base, tasks } = await loraRecipe();
    const recipe = await loraRecipe({
      group: { kind: 'demo', demo: 'lora' },
      tasks: [
        { ...tasks[0]!, task: 'acceptability' },
        { ...tasks[1]!, task: 'sentiment' },
      ],
    });
    const files = exported(recipe).map(({ path, file }) => ({
      path: path.replace('CoLA-1', 'acceptability').replace('rte', 'sentiment'),
      file,
    }));
    const group = await open(files);
    expect(group.base.id).toMatch(/^models\//);
    expect(group.tasks.map(({ name, scoredOn }) => [name, scoredOn?.kind])).toEqual([
      ['acceptability', 'text'],
      ['sentiment', 'text'],
    ]);
    expect(sources(group.findings)[0]).toMatch(/^warning: models\/.*is not the file/);
    expect(base.files).toHaveLength(1);
  });

  it('has the factors that were written', async () => {
    const request = { kind: 'files', files: adapterGroup() } as const;
    const files = await exportOf(request, { ...RECIPE, rank: { by: 'count', q: 2 } });
    expect([...files.keys()]).toContain('merged/adapter_model.safetensors');
    const group = await open([...dropped(files), ...adapterBase()]);
    if (group.kind !== 'adapters') throw new Error('Adapters opened as fine-tunes.');
    expect(group.tasks.map(({ name }) => name)).toEqual(['cola', 'rte']);
    const factors = await Promise.all(
      group.tasks.map(async ({ model }) => {
        const { modules, weights } = await PEFT.open(model);
        expect(modules).toMatchObject([{ path: 'layer.q', rank: 2, scale: 1 }]);
        const read = [...weights.tensors.values()].map(
          async ({ source, byteStart, byteLength }) => {
            return new Float32Array(
              await source.slice(byteStart, byteStart + byteLength).arrayBuffer(),
            );
          },
        );
        return Promise.all(read);
      }),
    );
    expect(factors).toHaveLength(2);
    // The same product as the adapters that it was made from, whose scale is 2.
    for (const [task, name] of ['cola', 'rte'].entries()) {
      const [original] = (
        await open([...inFolder(adapterGroup(), `lora/${name}`), ...adapterBase()])
      ).tasks;
      const { weights } = await PEFT.open(original!.model);
      const read = [...weights.tensors.values()].map(async ({ source, byteStart, byteLength }) => {
        return new Float32Array(
          await source.slice(byteStart, byteStart + byteLength).arrayBuffer(),
        );
      });
      const expected = product(await Promise.all(read), 2);
      for (const [i, value] of product(factors[task]!, 1).entries()) {
        expect(value).toBeCloseTo(expected[i]!, 5);
      }
    }
  });

  it('without its recipe is adapters like any others', async () => {
    const files = exported(await loraRecipe()).filter(
      ({ path }) => !path.endsWith('.json') || path.includes('adapter'),
    );
    const { tasks } = await open([...files, ...adapterBase()]);
    expect(tasks.map(({ name }) => name)).toEqual(['CoLA-1', 'merged', 'rte']);
  });

  it('is not made of another program’s recipe.json', async () => {
    const files = exported(await loraRecipe()).map((one) =>
      one.path.endsWith('recipe.json') ? fileAt(one.path, '{"name":"cake"}') : one,
    );
    const { tasks } = await open([...files, ...adapterBase()]);
    expect(tasks).toHaveLength(3);
  });

  it.each([
    ['broken', '{', 'parse'],
    ['of a newer Peru', '{"peru":2}', 'unsupported'],
    ['without its parts', '{"peru":1}', 'parse'],
  ])('refuses a recipe that is %s', async (_, text, kind) => {
    const files = exported(await loraRecipe()).map((one) =>
      one.path.endsWith('recipe.json') ? fileAt(one.path, text) : one,
    );
    await expect(open([...files, ...adapterBase()])).rejects.toMatchObject({ kind });
    await expect(open(files)).rejects.toThrow(/out\/recipe\.json/);
  });
});

describe('a recipe beside its sources', () => {
  const shuffled = (files: Files): Files =>
    files.map(({ path, file }) => ({ path: `x/${path.replace('pets', 'animals')}`, file }));

  it('names them by their content, whatever they are called now', async () => {
    const files = await exportOf(FULL_REQUEST, RECIPE);
    const recipe = dropped(files).find(({ path }) => path.endsWith('recipe.json'))!;
    const group = await open([...shuffled(fullGroup()), recipe]);
    expect(group.base.id).toBe('x/base/model.safetensors');
    expect(group.tasks.map(({ name, model }) => [name, model.id])).toEqual([
      ['Cars & more', 'x/Cars & more/model.safetensors'],
      ['pets', 'x/animals/model.safetensors'],
    ]);
    expect(sources(group.findings)).toEqual([expect.stringMatching(/^ok: The files are those/)]);
    // What was opened by the recipe makes the same files again.
    const request = {
      ...FULL_REQUEST,
      files: [...shuffled(fullGroup()), recipe],
      base: group.base.id,
    };
    const again = await exportOf(request, RECIPE);
    for (const path of ['pets.sparse.safetensors', 'Cars-more.sparse.safetensors']) {
      expect([...again.keys()]).toContain(path);
    }
  });

  it('warns of each that is not there as it was', async () => {
    const files = await exportOf(FULL_REQUEST, RECIPE);
    const recipe = dropped(files).find(({ path }) => path.endsWith('recipe.json'))!;
    const changed = fullGroup().map((one) =>
      one.path.startsWith('pets/model') ? fileAt(one.path, fullGroup()[0]!.file) : one,
    );
    const group = await sourcesWithBase(
      { kind: 'files', files: [...changed, recipe], base: 'base/model.safetensors' },
      TEST_OPTIONS,
    );
    expect(sources(group.findings)).toEqual([
      'warning: The recipe was made from pets, which is not among the files added.',
    ]);
  });

  it('takes adapters for the sources where they are', async () => {
    const recipe = fileAt('lora/recipe.json', recipeFileText(await loraRecipe()));
    const group = await open([...adapterGroup(), recipe]);
    expect(group.title).toBe('Two adapters');
    expect(group.tasks.map(({ name, model }) => [name, model.folder])).toEqual([
      ['CoLA/1', 'lora/cola'],
      ['rte', 'lora/rte'],
    ]);
  });
});

describe('a recipe alone', () => {
  it('opens the demo that it names', async () => {
    const recipe = await loraRecipe({ group: { kind: 'demo', demo: 'lora' } });
    const group = await open([fileAt('recipe.json', recipeFileText(recipe))]);
    expect(group.title).toMatch(/^Embedded zoo/);
    expect(sources(group.findings)).toContainEqual(expect.stringMatching(/^warning: .*is not the/));
    expect(sources(group.findings)).toContainEqual(
      'warning: The recipe has a task CoLA/1, which is not among those opened.',
    );
    expect(sources(group.findings)).not.toContainEqual(expect.stringMatching(/^ok/));
  });

  it('of local files says which to add', async () => {
    const text = recipeFileText(await loraRecipe());
    await expect(open([fileAt('a/recipe.json', text)])).rejects.toMatchObject({
      kind: 'source',
      message: expect.stringMatching(/t5, cola, rte/) as string,
      hint: expect.stringMatching(/t5: model\.safetensors \(SHA-256 [0-9a-f]{64}\)/) as string,
    });
  });
});
