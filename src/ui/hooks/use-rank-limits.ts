import { useMemo } from 'react';
import { useStore } from 'zustand';
import { adapterLimits, loraLimits, type RankLimits } from '@/store/recipe/rank-limits';
import { selectDraft } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { selectAdapters, selectLoras } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';

/** How far ranks go in what is open; null while nothing with ranks is. */
export function useRankLimits(): RankLimits | null {
  const adapters = useStore(sourcesStore, selectAdapters);
  const loras = useStore(sourcesStore, selectLoras);
  const { make } = useStore(recipeStore, selectDraft).lora;
  return useMemo(() => {
    if (adapters !== null) return adapterLimits(adapters);
    return loras === null ? null : loraLimits(loras, { make });
  }, [adapters, loras, make]);
}
