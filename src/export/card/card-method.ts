/** The method of a model card, with its formulas. */
import { isPacked } from '@/codecs/packed/packed-format';
import { valueWords } from '@/codecs/value-formats';
import { type Paper, paperAddress } from '@/methods/paper';
import { COMPRESSORS, MERGERS } from '@/methods/registry';
import { type RankChoice } from '@/methods/peru-lora';
import { rankOfRecord } from '@/recipe/rank-record';
import { type LowRankRecipe, type RecipeFile, type SparseRecipe } from '@/recipe/recipe-file';
import { plain } from './card-text';

export function methodSection(recipe: RecipeFile): string {
  const { compress } = recipe;
  const parts =
    compress.method === 'peru-fft'
      ? [merged(recipe), ...selected(recipe), sparse(compress)]
      : [mergedAdapter(recipe), lowRank(compress)];
  return ['## Method', ...parts, cited(COMPRESSORS[compress.method].paper)].join('\n\n');
}

function cited(paper: Paper): string {
  return `After _${paper.title}_ ([arXiv ${paper.arxiv}](${paperAddress(paper)})).`;
}

function merged({ merge, tasks }: RecipeFile): string {
  const { method, lambda = 0, dtype } = merge;
  const { title, card } = MERGERS[method];
  return `**${title}**: ${card.models(tasks.length, lambda)}, computed in float32 and rounded once to ${dtype}. θ₀ is the base, θₜ the model fine-tuned on task t. Tensors that not all of them hold in one shape, and integers, stay as the base has them.`;
}

function selected({ include = [], exclude = [] }: RecipeFile): string[] {
  if (include.length + exclude.length === 0) return [];
  const parts = [
    ...(include.length > 0 ? [`those that match ${include.map(plain).join(' or ')}`] : []),
    ...(exclude.length > 0 ? [`none that match ${exclude.map(plain).join(' or ')}`] : []),
  ];
  return [`Only some tensors were merged: ${parts.join(', ')}.`];
}

function sparse(compress: SparseRecipe): string {
  const { m, scope, values } = compress;
  const among = scope === 'global' ? 'all entries together' : 'the entries of each tensor';
  return `**PERU-FFT**: the model of task t is θ\\* + keepₘ(θₜ − θ\\*), where keepₘ keeps the ${m} % largest by magnitude among ${among} and sets the others to 0. Kept values are stored as ${valueWords(values).card}; positions exactly.${lengthened(compress)}`;
}

function lengthened({ values, rescale }: SparseRecipe): string {
  if (!isPacked(values)) return rescale === undefined ? '' : RESCALED;
  return rescale === undefined ? PACKED_FACTOR : PACKED_RESCALED;
}

/** The paper's û has no such factor. */
const RESCALED =
  ' Values are **rescaled**: the step of each tensor is longer by ‖uₜ‖ / ‖keepₘ(uₜ)‖ of that tensor (at most 2, to a 32nd), which the method of the paper does not do; it takes no byte more.';

/** Rounding to few magnitudes changes how long values are, so that packed ones have a factor in any case. */
const PACKED_FACTOR =
  ' Each tensor has a factor, with 4 bits of fraction, that makes its values as long as the kept ones were.';

const PACKED_RESCALED =
  ' Values are **rescaled**: each tensor has a factor, with 4 bits of fraction, that makes its values as long as all of uₜ = θₜ − θ\\* there, at most twice as long as the kept ones, which the method of the paper does not do; it takes no byte more.';

function mergedAdapter({ merge, tasks }: RecipeFile): string {
  const { method, lambda = 0 } = merge;
  const factor = MERGERS[method].card.adapters(tasks.length, lambda);
  return `Δₜ = sₜ Bₜ Aₜ is what the adapter of task t adds to a weight. **Merged adapter** (\`merged/\`): Δ = ${factor}, recompressed without loss.`;
}

function lowRank(compress: LowRankRecipe): string {
  const rank = rankWords(rankOfRecord(compress));
  return `**PERU-LoRA**: Δₜ is replaced by its best approximation of rank q, U_q S_q V_qᵀ from its singular value decomposition, ${rank}. Stored as B = U_q √S_q and A = √S_q V_qᵀ with lora_alpha = r, so the scale is 1.`;
}

/** Ends a sentence about the ranks of an adapter's modules. */
export function rankWords(rank: RankChoice): string {
  switch (rank.by) {
    case 'count':
      return `with q = ${rank.q} for every module, or all it has where that is less`;
    case 'energy':
      return `with the least q a module that holds ${rank.percent} % of its squared norm`;
    case 'fro':
      return `with one triplet a module more than hold ${rank.share} of its Frobenius norm`;
    case 'ratio':
      return `with one triplet a module more than exceed its largest singular value over ${rank.ratio}`;
    case 'bytes':
      return `with ranks by module that leave the least squared error in ${rank.budget} bytes of factors`;
  }
}
