import { beforeEach, describe, expect, it } from 'vitest';
import {
  adoptGroupLambda,
  adoptLink,
  commitDraft,
  editDraft,
  forgetChosenLambda,
  revertDraft,
} from './edits';
import { type RankChoice, recipeStore } from '@/store/state/recipe';

beforeEach(() => {
  adoptLink({});
});

describe('the recipe', () => {
  it('moves the draft alone until it is committed', () => {
    editDraft({ keptPercent: 3 });
    expect(recipeStore.getState().draft.keptPercent).toBe(3);
    expect(recipeStore.getState().committed.keptPercent).toBe(10);
    expect(commitDraft()).toBe(true);
    expect(recipeStore.getState().committed.keptPercent).toBe(3);
    expect(commitDraft()).toBe(false);
  });

  it('takes one number of the draft back, and leaves the other', () => {
    editDraft({ keptPercent: 3, lambda: 0.9 });
    revertDraft('keptPercent');
    expect(recipeStore.getState().draft).toMatchObject({ keptPercent: 10, lambda: 0.9 });
  });

  it('keeps numbers within bounds and readable', () => {
    editDraft({ keptPercent: 0.1 + 0.2, lambda: 9 });
    expect(recipeStore.getState().draft).toMatchObject({ keptPercent: 0.3, lambda: 2 });
    editDraft({ keptPercent: NaN });
    expect(recipeStore.getState().draft.keptPercent).toBe(0.3);
  });

  it('keeps ranks whole and within bounds, and what is no number as it was', () => {
    const rankAfter = (rank: RankChoice): RankChoice => {
      editDraft({ rank });
      return recipeStore.getState().draft.rank;
    };
    expect(rankAfter({ by: 'count', q: 3.4 })).toEqual({ by: 'count', q: 3 });
    expect(rankAfter({ by: 'count', q: 0 })).toEqual({ by: 'count', q: 1 });
    expect(rankAfter({ by: 'count', q: NaN })).toEqual({ by: 'count', q: 1 });
    expect(rankAfter({ by: 'energy', percent: NaN })).toEqual({ by: 'energy', percent: 95 });
    expect(rankAfter({ by: 'energy', percent: 20 })).toEqual({ by: 'energy', percent: 50 });
    expect(rankAfter({ by: 'bytes', budget: 1234.5 })).toEqual({ by: 'bytes', budget: 1235 });
    revertDraft('rank');
    expect(recipeStore.getState().draft.rank).toEqual({ by: 'count', q: 8 });
  });

  it('counts another rank, and another way to choose it, as another recipe', () => {
    editDraft({ rank: { by: 'count', q: 8 } });
    expect(commitDraft()).toBe(false);
    editDraft({ rank: { by: 'count', q: 9 } });
    expect(commitDraft()).toBe(true);
    editDraft({ rank: { by: 'energy', percent: 95 } });
    expect(commitDraft()).toBe(true);
    editDraft({ rank: { by: 'bytes', budget: 95 } });
    expect(commitDraft()).toBe(true);
  });

  it('takes the λ of the group unless a link or a hand has set one', () => {
    adoptGroupLambda(0.15);
    expect(recipeStore.getState().committed.lambda).toBe(0.15);
    editDraft({ lambda: 0.4 });
    adoptGroupLambda(0.2);
    expect(recipeStore.getState().draft.lambda).toBe(0.4);
    forgetChosenLambda();
    adoptGroupLambda(0.2);
    expect(recipeStore.getState().draft.lambda).toBe(0.2);
    adoptLink({ lambda: 0.7 });
    adoptGroupLambda(0.2);
    expect(recipeStore.getState().draft.lambda).toBe(0.7);
  });
});
