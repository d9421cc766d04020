/** README.md of LoRA files that were shrunk or added up without their base. */
import { type LoraOutput } from '@/export/lora/lora-preview';
import { type LoraRecipeFile } from '@/recipe/lora-recipe-file';
import { loraRecipeText } from '@/recipe/lora-recipe-json';
import { rankOfRecord } from '@/recipe/rank-record';
import { yamlText } from '@/recipe/mergekit/yaml-text';
import { type CardFacts } from './card-facts';
import { cardLicence } from './card-licence';
import { computedOn, fenced, fileSection, sourceTable } from './card-parts';
import { rankWords } from './card-method';
import { link, percent, plain, table, whole } from './card-text';

export interface LoraCardFacts extends Pick<CardFacts, 'results' | 'link' | 'files'> {
  readonly recipe: LoraRecipeFile;
  readonly outputs: readonly LoraOutput[];
  /** Of the files, as their model cards name them. */
  readonly licences: readonly (string | null)[];
}

/** @returns the text of README.md, ended by a newline */
export function loraCard(facts: LoraCardFacts): string {
  const { recipe, licences, results } = facts;
  const licence = cardLicence(
    recipe.files.map(({ name, repo }, i) => ({
      source: repo ?? name,
      licence: licences[i] ?? null,
    })),
  );
  const lines = [
    ...licence.frontMatter.map(([key, value]) => `${key}: ${yamlText(value)}`),
    'tags:',
    ...['lora', 'peru', 'peru-lora', 'safetensors'].map((tag) => `- ${tag}`),
  ];
  const sections = [
    `---\n${lines.join('\n')}\n---`,
    `# ${plain(recipe.title)}`,
    whatItIs(facts),
    `## How it was made\n\n${method(recipe)}`,
    keptSection(facts),
    `## Sources\n\n${sourceTable(
      recipe.files.map((file) => ({ ...file, role: plain(file.name) })),
      recipe.group,
    )}`,
    fileSection(facts.files),
    `## Recipe\n\n${fenced('json', loraRecipeText(recipe))}`,
    computedOn(results),
    `## Licence\n\n${plain(licence.said)}`,
  ];
  return `${sections.join('\n\n')}\n`;
}

function whatItIs({ recipe, link: address }: LoraCardFacts): string {
  const { make, weights = [] } = recipe.lora;
  const count = recipe.files.length;
  const opens = address === null ? '' : `\n\n${link('Open it in Peru', address)}.`;
  if (make === 'each') {
    return `${count === 1 ? 'A LoRA file' : `${count} LoRA files`}, smaller: each module at a lower rank.${opens}`;
  }
  const terms = recipe.files.map(({ name }, i) => `${weights[i] ?? 1} × ${plain(name)}`);
  return `One LoRA file of ${count}: ${terms.join(' + ')}.${opens}`;
}

function method({ lora }: LoraRecipeFile): string {
  const { make, rank, cap, convolutions, spelling, alpha, carried } = lora;
  const what =
    make === 'each'
      ? 'What each file adds to a weight, Δ = (alpha / r) up down,'
      : 'The weighted sum of what the files add to a weight, Δ = Σ wₜ (alphaₜ / rₜ) upₜ downₜ,';
  const parts = [
    `**PERU-LoRA**: ${what} is replaced by its best approximation of rank q from its singular value decomposition, ${rankWords(rankOfRecord(rank))}${cap === undefined ? '' : `, ${cap} at most`}.`,
    convolutions === undefined
      ? ''
      : `Convolutions have ranks of their own, ${rankWords(rankOfRecord(convolutions))}.`,
    alpha === 'ratio' ? 'alpha / r stays as it was.' : 'alpha is r, so the scale is 1.',
    spelling === 'source'
      ? 'Names, order, dtypes and metadata are the sources’.'
      : `Names are spelled as ${spelling} does.`,
    carried === 'leave' ? 'Tensors that are neither factor nor alpha were left out.' : '',
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function keptSection({ outputs }: LoraCardFacts): string {
  const rows = outputs.map(({ path, ranks, energyShare, bytes }) => {
    const own = ranks.filter((rank) => rank > 0);
    const [least, most] = [Math.min(...own), Math.max(...own)];
    const told = least === most ? String(most) : `${least} to ${most}`;
    return [plain(path), whole(own.length), told, `${percent(energyShare)} %`, whole(bytes)];
  });
  return `## What is kept\n\n${table(['file', 'modules', 'rank', 'energy', 'bytes'], rows)}`;
}
