/**
 * README.md of an export: what the files are, how they were made, what they score, how to load
 * them. The same facts give the same bytes.
 */
import { type RecipeFile, type SourceRecord } from '@/recipe/recipe-file';
import { type CardFacts } from './card-facts';
import { cardLicence } from './card-licence';
import { methodSection } from './card-method';
import { accuracySection, indexSection, storageSection } from './card-tables';
import { link, plain, table, whole } from './card-text';
import { ADAPTER_LOADER, SPARSE_LOADER } from './loader-code';
import { recipeFileText } from '@/recipe/recipe-json';
import { yamlText } from '@/recipe/mergekit/yaml-text';

const PUBLIC_HUB = 'https://huggingface.co';
/** Differs from run to run, or is the card itself. */
const WITHOUT_HASH = new Set(['results.json', 'README.md']);

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
    loading(facts),
    sourceSection(recipe),
    fileSection(facts),
    `## Recipe\n\n\`recipe.json\` makes the same files again from the same sources:\n\n${fenced('json', recipeFileText(recipe))}`,
    computedOn(facts),
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
    fenced('python', SPARSE_LOADER),
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
    'The second block is for models that transformers knows; the first needs torch and safetensors only. A task that keeps tensors of another shape (a grown vocabulary, other classes) needs its own configuration.',
  ].join('\n\n');
}

function sourceSection({ base, tasks, group }: RecipeFile): string {
  const hub = group.kind === 'hub' ? (group.hub ?? PUBLIC_HUB) : PUBLIC_HUB;
  const all: readonly (SourceRecord & { readonly task?: string })[] = [base, ...tasks];
  const rows = all.flatMap((source) =>
    source.files.map(({ path, bytes, sha256 }, i) => [
      i > 0 ? '' : source.task === undefined ? 'base' : plain(source.task),
      i > 0 ? '' : origin(source, hub),
      plain(path),
      whole(bytes),
      `\`${sha256}\``,
    ]),
  );
  return `## Sources\n\n${table(['role', 'from', 'file', 'bytes', 'SHA-256'], rows, 'texts')}`;
}

function origin({ name, repo, commit, folder }: SourceRecord, hub: string): string {
  if (repo === undefined) return plain(name);
  const at = commit === undefined ? '' : `@${commit.slice(0, 12)}`;
  const inside = folder === undefined ? '' : `, ${plain(folder)}`;
  const address = `${hub.replace(/\/+$/, '')}/${repo}${commit === undefined ? '' : `/tree/${commit}`}`;
  return `${link(`${repo}${at}`, address)}${inside}`;
}

function fileSection({ files }: CardFacts): string {
  const rows = files
    .filter(({ path }) => !WITHOUT_HASH.has(path))
    .map(({ path, bytes, sha256 }) => [plain(path), whole(bytes), `\`${sha256}\``]);
  return `## Files\n\n${table(['file', 'bytes', 'SHA-256'], rows, 'texts')}\n\n\`results.json\` holds the numbers above and how long they took.`;
}

function computedOn({ results: { adapter, engine } }: CardFacts): string {
  const { vendor, architecture, description, fallback } = adapter;
  const named = [...new Set([description, vendor, architecture])].filter((name) => name !== '');
  const what = plain(named.join(', ')) || 'an adapter that does not tell its name';
  const how = {
    webgpu: `with WebGPU on ${what}${fallback ? ', a software adapter' : ''}`,
    processor: 'on the processor, without WebGPU',
    reference: 'in float64 on the CPU, without WebGPU',
  }[engine];
  return `## Computed on\n\nMerged, compressed and scored in a browser ${how}.`;
}

function fenced(language: string, text: string): string {
  // A name inside may hold backticks: the fence is longer than any run of them.
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}${fence}`;
}

/** A Python string literal: JSON's escapes are Python's, halves of pairs aside, which names lack. */
function pythonText(text: string): string {
  return JSON.stringify(text);
}
