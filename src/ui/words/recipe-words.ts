/** Recipes in words. Pure. */
import { bitsPerValue, isPacked } from '@/codecs/packed/packed-format';
import { MERGE_PARAMETERS, type MergeParameter } from '@/methods/parameters';
import { MERGERS } from '@/methods/registry';
import { type LoraChoices } from '@/recipe/lora-choices';
import { type GroupKind } from '@/recipe/parsed-method';
import { isRescaled } from '@/recipe/stored-values';
import { type RankChoice, type Recipe } from '@/store/state/recipe';
import { bytes, inText } from './format';

/** What one recipe says where another says something else; null where they agree. */
export function recipeWords(kind: GroupKind, recipe: Recipe, other: Recipe): string | null {
  const words = partsOf(kind, recipe);
  const others = partsOf(kind, other);
  const differing = words.filter((part, i) => part !== others[i]);
  return differing.length === 0 ? null : differing.filter((part) => part !== '').join(', ');
}

/** The parts that a kind of group uses, always as many and in one order. */
function partsOf(kind: GroupKind, recipe: Recipe): readonly string[] {
  const { mergeMethod, keptPercent, scope, valueDtype, mergedDtype, rank } = recipe;
  const { title, parameters } = MERGERS[mergeMethod];
  const all = Object.keys(MERGE_PARAMETERS) as MergeParameter[];
  const merge = [
    title.toLowerCase(),
    ...all.map((key) =>
      parameters.includes(key) ? inText(`${MERGE_PARAMETERS[key].symbol} = ${recipe[key]}`) : '',
    ),
  ];
  if (kind === 'loras') return [rankWords(rank), ...loraWords(recipe.lora)];
  if (kind === 'adapters') return [...merge, rankWords(rank)];
  return [
    ...merge,
    `merged model ${mergedDtype === null ? 'in the base’s dtype' : `in ${mergedDtype}`}`,
    inText(`m = ${keptPercent} %`),
    scope === 'global' ? 'all weights ranked together' : 'each tensor ranked by itself',
    isPacked(valueDtype)
      ? `values in ${inText(`${bitsPerValue(valueDtype)} bit`)}`
      : `values in ${valueDtype}`,
    isRescaled(recipe) ? 'each tensor’s norm restored' : '',
  ];
}

/** The choices that make other files, always as many. */
function loraWords({ make, cap, convolutions, spelling, alpha, carried, weights }: LoraChoices) {
  const own = Object.entries(weights).map(([file, weight]) => inText(`${weight} × ${file}`));
  return [
    make === 'one' ? 'all as one' : 'each file by itself',
    cap === null ? '' : `${cap} triplets at most`,
    convolutions === null ? '' : `convolutions at ${rankWords(convolutions)}`,
    spelling === 'source' ? '' : `spelled as ${spelling}`,
    alpha === 'ratio' ? '' : 'alpha = r',
    carried === 'keep' ? '' : 'other tensors left out',
    make === 'one' ? own.join(', ') : '',
  ];
}

function rankWords(rank: RankChoice): string {
  switch (rank.by) {
    case 'count':
      return inText(`q = ${rank.q}`);
    case 'energy':
      return inText(`${rank.percent} % of the energy`);
    case 'fro':
      return inText(`${rank.share} of the norm`);
    case 'ratio':
      return inText(`σ above σ₁ / ${rank.ratio}`);
    case 'bytes':
      return `a budget of ${inText(bytes(rank.budget))}`;
  }
}
