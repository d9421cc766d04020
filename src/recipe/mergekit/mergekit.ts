/**
 * The merge part of a recipe as a configuration of mergekit, for `mergekit-yaml`. mergekit's
 * `task_arithmetic` is base + lambda * sum(weight * (model - base)), its `linear` with `normalize`
 * the weighted mean: the same formulas as Peru's mergers. What they leave unsaid stands in comments.
 */
import { type MergekitMethod } from '@/methods/method';
import { MERGERS } from '@/methods/registry';
import { type FloatDtype } from '@/tensor/dtype';
import { type MergeRecipeFile, type RecipeFile, type SourceRecord } from '@/recipe/recipe-file';
import { yamlComment, yamlNumber, yamlText } from './yaml-text';

/** mergekit's names of dtypes. */
export const MERGEKIT_DTYPES: Readonly<Record<FloatDtype, string>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/** @param recipe with `compress`, where comments shall tell what mergekit leaves out of it */
export function mergekitYaml(recipe: MergeRecipeFile | RecipeFile): string {
  const settings = SETTINGS[MERGERS[recipe.merge.method].mergekit](recipe);
  const lines = [
    ...unsaid(recipe).map(yamlComment),
    ...settings,
    // Peru sums in float32 and rounds once, at the end.
    'dtype: float32',
    `out_dtype: ${MERGEKIT_DTYPES[recipe.merge.dtype]}`,
  ];
  return `${lines.join('\n')}\n`;
}

const SETTINGS: Readonly<Record<MergekitMethod, (recipe: MergeRecipeFile) => string[]>> = {
  task_arithmetic: taskArithmetic,
  linear,
};

function taskArithmetic({ base, tasks, merge }: MergeRecipeFile): string[] {
  return [
    'merge_method: task_arithmetic',
    `base_model: ${reference(base)}`,
    ...models(tasks, merge.lambda ?? 0),
    'parameters:',
    '  normalize: false',
    '  lambda: 1.0',
  ];
}

/** The base is listed with weight 0: it is known, and mergekit does not average it, too. */
function linear({ base, tasks }: MergeRecipeFile): string[] {
  return [
    'merge_method: linear',
    `base_model: ${reference(base)}`,
    ...models([base], 0),
    ...models(tasks, 1).slice(1),
    'parameters:',
    '  normalize: true',
  ];
}

function models(sources: readonly SourceRecord[], weight: number): string[] {
  return [
    'models:',
    ...sources.flatMap((source) => [
      `  - model: ${reference(source)}`,
      '    parameters:',
      `      weight: ${yamlNumber(weight)}`,
    ]),
  ];
}

/** `owner/name@commit`; spelled out where mergekit would read a meaning into the name. */
function reference({ name, repo, commit }: SourceRecord): string {
  if (repo !== undefined) return yamlText(commit === undefined ? repo : `${repo}@${commit}`);
  return /[@+]/.test(name) ? `{model: {path: ${yamlText(name)}}}` : yamlText(name);
}

/** What the file can not say, for the person who runs it. */
function unsaid(recipe: MergeRecipeFile | RecipeFile): string[] {
  const { include = [], exclude = [], base, tasks } = recipe;
  const sources: readonly SourceRecord[] = [base, ...tasks];
  const local = sources.filter(({ repo }) => repo === undefined);
  const inFolders = sources.filter(({ folder }) => folder !== undefined);
  return [
    'The merge part of a Peru recipe, for mergekit. What mergekit does not do, or does otherwise:',
    ...('compress' in recipe ? [`- ${compression(recipe)}`] : []),
    ...(include.length + exclude.length === 0
      ? []
      : [`- Peru merged only some tensors: ${patterns(include, exclude)}. mergekit merges all.`]),
    '- Peru merges the floating tensors that base and fine-tuned models all hold in one shape, of any',
    '  architecture; all others, integer buffers too, stay as the base has them. mergekit merges what it',
    '  knows of the architecture.',
    '- Peru sums theta_0 + sum c_t (theta_t - theta_0) in float32, in the order of the models, and rounds',
    '  once; mergekit may differ in the last bits, so the files are equal in value, not in hash.',
    ...(MERGERS[recipe.merge.method].mergekit === 'linear'
      ? [
          `- ${base.name} stands in the list with weight 0: only what is not averaged is taken from it.`,
        ]
      : []),
    ...inFolders.map(
      ({ name, repo, folder }) =>
        `- ${name} lies in the folder ${folder ?? ''} of ${repo ?? 'its repo'}: give mergekit that folder's path.`,
    ),
    ...(local.length === 0
      ? []
      : [`- Put paths of folders in the place of ${list(local)}: Peru had them from files.`]),
  ];
}

function compression({ compress }: RecipeFile): string {
  if (compress.method === 'peru-lora') {
    return 'PERU-LoRA (the SVD of each adapter at a lower rank) stands in recipe.json only.';
  }
  const scope = compress.scope === 'global' ? 'of all tensors together' : 'of each tensor';
  return `PERU-FFT (per task, the largest ${compress.m} % ${scope} of theta_t - theta*) stands in recipe.json only.`;
}

function patterns(include: readonly string[], exclude: readonly string[]): string {
  return [
    ...(include.length > 0 ? [`those that match ${include.join(' or ')}`] : []),
    ...(exclude.length > 0 ? [`none that match ${exclude.join(' or ')}`] : []),
  ].join(', ');
}

function list(sources: readonly SourceRecord[]): string {
  return sources.map(({ name }) => name).join(', ');
}
