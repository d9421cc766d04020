import { useStore } from 'zustand';
import { selectGroup, selectKind } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { AdapterStory } from './adapter-story';
import { FullStory } from './full-story';

/** The one thing to take home: what a method costs and what it gives back. */
export function StoryPanel() {
  const group = useStore(sourcesStore, selectGroup);
  const kind = useStore(sourcesStore, selectKind);
  if (group?.noAccuracyBecause != null) return null;
  return kind === 'adapters' ? <AdapterStory /> : <FullStory />;
}
