/**
 * README.md of an export: what the files are, how they were made, what they score, how to load
 * them. The same facts give the same bytes.
 */
import { type RecipeFile, type SourceRecord } from '@/recipe/recipe-file';
import { type CardFacts, isPackedRecipe } from './card-facts';
import { cardLicence } from './card-licence';
import { methodSection } from './card-method';
import { accuracySection, indexSection, storageSection } from './card-tables';
import { computedOn, fenced, fileSection, type RoleSource, sourceTable } from './card-parts';
import { link, plain, table } from './card-text';
import { ADAPTER_LOADER, PACKED_LOADER, SPARSE_LOADER } from './loader-code';
import { recipeFileText } from '@/recipe/recipe-json';
import { yamlText } from '@/recipe/mergekit/yaml-text';

/** @returns the text of README.md, ended by a newline */
export function modelCard(facts: CardFacts): string {
  const { recipe, licences } = facts;
  const sources: readonly SourceRecord[] = [recipe.base, ...recipe.tasks];
  const licence = cardLicence(
    sources.map(({ name, repo }, i) => ({ source: repo ?? name, licence: licences[i] ?? null })),
  );
  const sections = [
    frontMatter(recipe, licence.frontMatter),
    `# ${plain(recipe.title)}`,
    whatItIs(facts),
    methodSection(recipe),
    accuracySection(facts),
    storageSection(facts),
    indexSection(facts),
    ...packedPositions(facts),
    loading(facts),
    `## Sources\n\n${sourceTable(sourcesOf(recipe), recipe.group)}`,
    fileSection(facts.files),
    `## Recipe\n\n\`recipe.json\` makes the same files again from the same sources:\n\n${fenced('json', recipeFileText(recipe))}`,
    computedOn(facts.results),
    `## Licence\n\n${plain(licence.said)}`,
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function frontMatter(
  { base, tasks, compress }: RecipeFile,
  licence: readonly (readonly [string, string])[],
): string {
  const isLora = compress.method === 'peru-lora';
  // An adapter is loaded onto its base; a merge is made of all its sources.
  const made: readonly SourceRecord[] = isLora ? [base] : [base, ...tasks];
  const repos = [...new Set(made.flatMap(({ repo }) => repo ?? []))];
  const tags = ['merge', 'peru', compress.method, 'safetensors', ...(isLora ? ['lora'] : [])];
  const lines = [
    ...licence.map(([key, value]) => `${key}: ${yamlText(value)}`),
    `library_name: ${isLora ? 'peft' : 'transformers'}`,
    ...list('base_model', repos),
    ...(repos.length === 0 ? [] : [`base_model_relation: ${isLora ? 'adapter' : 'merge'}`]),
    ...list('tags', tags),
  ];
  return `---\n${lines.join('\n')}\n---`;
}

function list(key: string, values: readonly string[]): string[] {
  return values.length === 0 ? [] : [`${key}:`, ...values.map((value) => `- ${yamlText(value)}`)];
}

function whatItIs({ recipe, stems, link: address }: CardFacts): string {
  const count = recipe.tasks.length;
  const base = plain(recipe.base.repo ?? recipe.base.name);
  const what =
    recipe.compress.method === 'peru-fft'
      ? `${count} fine-tuned models of ${base} in one: a merged model, and for each task a small sparse vector that brings it back to its own.`
      : `${count} LoRA adapters of ${base}, each at a lower rank, and one adapter merged from all.`;
  const rows = recipe.tasks.map(({ task, name, repo }, i) => [
    plain(task),
    plain(taskFile(recipe, stems[i] ?? '')),
    plain(repo ?? name),
  ]);
  const opens = address === null ? '' : `\n\n${link('Open it in Peru', address)}.`;
  return `${what}\n\n${table(['task', 'file', 'made from'], rows, 'texts')}${opens}`;
}

function taskFile({ compress }: RecipeFile, stem: string): string {
  return compress.method === 'peru-fft' ? `${stem}.sparse.safetensors` : `${stem}/`;
}

/** What the table of positions leaves out. */
function packedPositions({ recipe, index }: CardFacts): string[] {
  if (index.length === 0 || !isPackedRecipe(recipe)) return [];
  return [
    'They are Rice codes of gaps, chosen anew for every block of a tensor; a directory of the blocks comes on top. Entries that are zero are neither stored nor counted.',
  ];
}

function loading({ recipe, stems }: CardFacts): string {
  const stem = stems[0] ?? 'merged';
  if (recipe.compress.method === 'peru-lora') {
    const { base } = recipe;
    const name = pythonText(base.repo ?? base.name);
    const note =
      base.repo === undefined
        ? ' Put the path of the base in its place.'
        : base.commit === undefined
          ? ''
          : ` It was made with the base at commit ${base.commit}.`;
    return [
      '## How to load',
      fenced('python', ADAPTER_LOADER),
      fenced('python', `model = load_task(${pythonText(stem)}, ${name})\n`),
      `Needs transformers and peft.${note}`,
    ].join('\n\n');
  }
  return [
    '## How to load',
    '`transformers` opens this folder as the merged model. The model of a task is the merged one plus its sparse vector:',
    fenced('python', isPackedRecipe(recipe) ? PACKED_LOADER : SPARSE_LOADER),
    fenced(
      'python',
      [
        'import transformers',
        'config = transformers.AutoConfig.from_pretrained(".")',
        'kind = getattr(transformers, config.architectures[0])',
        // Not `load_state_dict`, which drops weights that go by names of older versions.
        `model = kind.from_pretrained(None, config=config, state_dict=load_task(${pythonText(stem)}))`,
        '',
      ].join('\n'),
    ),
    `The second block is for models that transformers knows; the first needs ${isPackedRecipe(recipe) ? 'NumPy, ' : ''}torch and safetensors only. A task that keeps tensors of another shape (a grown vocabulary, other classes) needs its own configuration.`,
  ].join('\n\n');
}

function sourcesOf({ base, tasks }: RecipeFile): RoleSource[] {
  return [{ ...base, role: 'base' }, ...tasks.map((one) => ({ ...one, role: plain(one.task) }))];
}

/** A Python string literal: JSON's escapes are Python's, halves of pairs aside, which names lack. */
function pythonText(text: string): string {
  return JSON.stringify(text);
}
