import { useStore } from 'zustand';
import { selectLoras } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { ModuleSpectra } from '@/ui/panels/results/spectra-panel';
import { useDraftLoras } from '@/ui/hooks/use-loras';

/** What each module of a LoRA file holds, or of their sum, and where the ranks cut it. */
export function LoraSpectra() {
  const contents = useStore(sourcesStore, selectLoras);
  const { outputs } = useDraftLoras();
  const kept = outputs?.map((one) => ({ ...one, task: one.name })) ?? null;
  return contents === null ? null : <ModuleSpectra modules={contents.modules} kept={kept} />;
}
