/** Changes of the recipe's state that start no work by themselves. */
import { MERGE_PARAMETERS } from '@/methods/parameters';
import { type RankChoice } from '@/methods/peru-lora';
import { type Recipe } from '@/recipe/recipe';
import { settingValue } from '@/recipe/parsed-method';
import { storedValuesKey } from '@/recipe/stored-values';
import { loraKey } from '@/recipe/lora-choices';
import { type RankLimits } from './rank-limits';
import { KEPT_PERCENT, startingRank, withinBounds, withinGroup } from './bounds';
import { DEFAULT_RECIPE, recipeStore } from '@/store/state/recipe';

const LAMBDA = MERGE_PARAMETERS.lambda.bounds;

/** Moves the draft: every number within bounds, what is no number left as it was. */
export function editDraft(change: Partial<Recipe>): void {
  recipeStore.setState(({ draft, lambdaFrom }) => ({
    draft: {
      ...draft,
      ...change,
      lambda: withinBounds(LAMBDA, change.lambda ?? draft.lambda) ?? draft.lambda,
      keptPercent:
        withinBounds(KEPT_PERCENT, change.keptPercent ?? draft.keptPercent) ?? draft.keptPercent,
      rank: readableRank(change.rank ?? draft.rank, draft.rank),
    },
    lambdaFrom: change.lambda === undefined ? lambdaFrom : 'visitor',
  }));
}

/** Makes the draft the recipe of the results. Returns whether that changed anything. */
export function commitDraft(): boolean {
  const { draft, committed } = recipeStore.getState();
  if (sameRecipe(draft, committed)) return false;
  recipeStore.setState({ committed: draft });
  return true;
}

/** Takes a part of the draft back to what the results belong to. */
export function revertDraft(name: 'lambda' | 'keptPercent' | 'rank' | 'lora'): void {
  recipeStore.setState(({ draft, committed }) => ({
    draft: { ...draft, [name]: committed[name] },
  }));
}

/** Starts from a link: what it names counts as chosen, the rest is the default. */
export function adoptLink(recipe: Partial<Recipe>): void {
  const start = { ...DEFAULT_RECIPE, ...recipe };
  recipeStore.setState({
    draft: start,
    committed: start,
    lambdaFrom: recipe.lambda === undefined ? 'group' : 'visitor',
  });
}

/** Takes over what a recipe file says; the rest stays, but for λ, which is then the group's. */
export function adoptRecipe(recipe: Partial<Recipe>): void {
  recipeStore.setState(({ committed }) => {
    const next = { ...committed, ...recipe };
    return {
      draft: next,
      committed: next,
      lambdaFrom: recipe.lambda === undefined ? 'group' : 'visitor',
    };
  });
}

/** Takes the λ recommended for a group, unless the visitor has chosen one. */
export function adoptGroupLambda(recommended: number | null): void {
  const lambda = recommended === null ? null : withinBounds(LAMBDA, recommended);
  if (lambda === null || recipeStore.getState().lambdaFrom === 'visitor') return;
  recipeStore.setState(({ draft, committed }) => ({
    draft: { ...draft, lambda },
    committed: { ...committed, lambda },
  }));
}

/**
 * Brings the ranks within what the adapters of a group can have: another group's budget, or a
 * link's q, may lie beyond.
 */
export function adoptGroupRanks(limits: RankLimits): void {
  recipeStore.setState(({ draft, committed }) => ({
    draft: { ...draft, rank: withinGroup(draft.rank, limits) },
    committed: { ...committed, rank: withinGroup(committed.rank, limits) },
  }));
}

/** Another group is about to open by hand: its own recommended λ applies again. */
export function forgetChosenLambda(): void {
  recipeStore.setState({ lambdaFrom: 'group' });
}

/** Equal for two recipes that give the same numbers. */
export function sameRecipe(a: Recipe, b: Recipe): boolean {
  return (
    a.mergeMethod === b.mergeMethod &&
    a.lambda === b.lambda &&
    a.keptPercent === b.keptPercent &&
    a.scope === b.scope &&
    a.mergedDtype === b.mergedDtype &&
    storedValuesKey(a) === storedValuesKey(b) &&
    String(a.compressors) === String(b.compressors) &&
    sameRank(a.rank, b.rank) &&
    loraKey(a.lora) === loraKey(b.lora)
  );
}

/** Within bounds whatever the group; what holds no number leaves the ranks as they were. */
function readableRank(rank: RankChoice, before: RankChoice): RankChoice {
  const value = settingValue(rank);
  if (!Number.isFinite(value)) return before.by === rank.by ? before : startingRank(rank.by, null);
  return withinGroup(rank, null);
}

function sameRank(a: RankChoice, b: RankChoice): boolean {
  return a.by === b.by && settingValue(a) === settingValue(b);
}
