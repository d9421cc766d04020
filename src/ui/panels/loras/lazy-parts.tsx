import { type ComponentType, lazy, Suspense } from 'react';
import { pagePart } from '@/store/actions/run-job';
import type * as Parts from './parts';

/** A part that is fetched when LoRA files are first opened; nothing where it can not be had. */
function part(pick: (parts: typeof Parts) => ComponentType): ComponentType {
  const Part = lazy(async () => {
    const parts = await pagePart(() => import('./parts'));
    return { default: parts === null ? () => null : pick(parts) };
  });
  return function Loaded() {
    return (
      <Suspense fallback={null}>
        <Part />
      </Suspense>
    );
  };
}

export const LoraFilesPanel = part((parts) => parts.LoraFilesPanel);
export const LoraMakeControls = part((parts) => parts.LoraMakeControls);
export const LoraWriteControls = part((parts) => parts.LoraWriteControls);
export const LoraStory = part((parts) => parts.LoraStory);
export const LoraSpectra = part((parts) => parts.LoraSpectra);
export const OverlapPanel = part((parts) => parts.OverlapPanel);
