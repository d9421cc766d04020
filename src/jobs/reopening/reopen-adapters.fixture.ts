/** Recipes of two adapters, and exports of them, written by hand. */
import { createHash } from 'node:crypto';
import { recipeFileText } from '@/recipe/recipe-json';
import { type RecipeFile, type SourceRecord } from '@/recipe/recipe-file';
import { adapterBase, adapterGroup, fileAt, type Files } from './reopen.fixture';

async function recordOf(name: string, files: Files): Promise<SourceRecord> {
  const records = files.map(async ({ path, file }) => {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { path: path.slice(path.lastIndexOf('/') + 1), bytes: bytes.length, sha256 };
  });
  return { name, files: await Promise.all(records) };
}

export const inFolder = (files: Files, folder: string): Files =>
  files.filter(({ path }) => path.startsWith(`${folder}/`));
const weightsOnly = (files: Files): Files =>
  files.filter(({ path }) => path.endsWith('.safetensors'));

/** A recipe of the adapters of the fixture; `more` says where they come from. */
export async function loraRecipe(more: Partial<RecipeFile> = {}): Promise<RecipeFile> {
  const files = adapterGroup();
  return {
    peru: 1,
    title: 'Two adapters',
    group: { kind: 'files' },
    merge: { method: 'task-arithmetic', lambda: 0.4, dtype: 'F32' },
    compress: { method: 'peru-lora', q: 1 },
    base: await recordOf('t5', weightsOnly(adapterBase())),
    tasks: [
      { task: 'CoLA/1', ...(await recordOf('cola', inFolder(files, 'lora/cola'))) },
      { task: 'rte', ...(await recordOf('rte', inFolder(files, 'lora/rte'))) },
    ],
    ...more,
  };
}

/** An export of that recipe: the adapters are others than those it was made from. */
export function exported(recipe: RecipeFile, folder = 'out'): Files {
  const folders = ['CoLA-1', 'merged', 'rte'];
  const adapters = folders.flatMap((name) => {
    const config = { peft_type: 'LORA', r: 1, lora_alpha: 1, target_modules: ['q'] };
    const weights = inFolder(adapterGroup(), 'lora/cola').find(({ path }) =>
      path.endsWith('.safetensors'),
    )!.file;
    return [
      fileAt(`${folder}/${name}/adapter_config.json`, JSON.stringify({ ...config, note: name })),
      fileAt(`${folder}/${name}/adapter_model.safetensors`, weights),
    ];
  });
  return [
    ...adapters,
    fileAt(`${folder}/recipe.json`, recipeFileText(recipe)),
    fileAt(`${folder}/README.md`, '# x'),
  ];
}

export const sources = (findings: readonly { level: string; title: string }[] | undefined) =>
  (findings ?? []).map(({ level, title }) => `${level}: ${title}`);
