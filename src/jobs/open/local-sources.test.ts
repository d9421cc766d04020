/** The order of tasks among files of the disk: by their names, or as a recipe beside them has it. */
import { TEST_OPTIONS } from '@/jobs/context/test-platform.fixture';
import { describe, expect, it } from 'vitest';
import { f32, soundFile } from '@/tensor/safetensors.fixture';
import { sourcesWithBase } from './with-base.fixture';
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
} from '@/jobs/reopening/reopen.fixture';

/** Fine-tunes whose sum in float32 depends on the order of its terms. */
function checkpoint(name: string, scale: number): Files {
  const values = Array.from({ length: 50 }, (_, i) => scale * Math.sin(i + scale));
  const tensors = { w: f32([50], values) };
  return [
    fileAt(`${name}/model.safetensors`, soundFile(tensors)),
    fileAt(`${name}/config.json`, '{}'),
  ];
}

const TASKS = [
  checkpoint('task10', 1e4),
  checkpoint('task2', 1),
  checkpoint('task1', 1e-3),
  checkpoint('task9', 7),
];
const BASE = 'base/model.safetensors';
const COUNTED = ['task1', 'task2', 'task9', 'task10'];

async function namesOf(files: Files, base?: string): Promise<string[]> {
  const request = { kind: 'files' as const, files, ...(base === undefined ? {} : { base }) };
  return (await sourcesWithBase(request, TEST_OPTIONS)).tasks.map(({ name }) => name);
}

describe('files of the disk', () => {
  it('are in the order of their names, whatever order they came in', async () => {
    const base = checkpoint('base', 0);
    expect(await namesOf([...base, ...TASKS.flat()], BASE)).toEqual(COUNTED);
    expect(await namesOf([...TASKS.toReversed().flat(), ...base], BASE)).toEqual(COUNTED);
    const [rte, cola] = [adapterGroup().slice(4), adapterGroup().slice(2, 4)];
    expect(await namesOf([...rte, ...cola, ...adapterBase()])).toEqual(['cola', 'rte']);
  });

  it('give the same bytes in whatever order they came', async () => {
    const base = checkpoint('base', 0);
    const recipe = { ...RECIPE, lambda: 0.3 };
    const [one, other] = await Promise.all(
      [TASKS, TASKS.toReversed()].map((tasks) =>
        exportOf({ kind: 'files', files: [...base, ...tasks.flat()], base: BASE }, recipe),
      ),
    );
    expect([...one!.keys()]).toEqual([...other!.keys()]);
    for (const [path, bytes] of one!) {
      if (path !== 'results.json') expect(other!.get(path), path).toEqual(bytes);
    }
  });

  it('keep the order of a recipe that lies beside them', async () => {
    const files = await exportOf(FULL_REQUEST, RECIPE);
    const text = new TextDecoder().decode(files.get('recipe.json'));
    const recipe = JSON.parse(text) as { tasks: unknown[] };
    expect(await namesOf([...fullGroup(), ...recipeFile(recipe)])).toEqual(['Cars & more', 'pets']);
    recipe.tasks.reverse();
    expect(await namesOf([...fullGroup(), ...recipeFile(recipe)])).toEqual(['pets', 'Cars & more']);
  });

  function recipeFile(recipe: object): Files {
    return dropped(new Map([['recipe.json', new TextEncoder().encode(JSON.stringify(recipe))]]));
  }
});
