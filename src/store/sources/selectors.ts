import { type GroupKind } from '@/recipe/parsed-method';
import { type LoraContents } from '@/export/lora/lora-contents';
import { type DemoName } from '@/protocol/requests';
import { type FileSet, fileSets } from './file-list';
import {
  type AdapterContents,
  type CheckpointCard,
  type GroupFacts,
  type NamePatterns,
  type Preflight,
  type SourceRequest,
  type SourcesState,
  type Weights,
} from '@/store/state/sources';

export type { FileSet };

export function selectGroup(state: SourcesState): GroupFacts | null {
  return state.group;
}

/** What is open holds; before its headers are read, what was asked for. */
export function selectKind({ group, preflight, request }: SourcesState): GroupKind {
  if (group !== null) return group.contents.kind;
  if (preflight !== null) return preflight.kind;
  return request?.kind === 'demo' ? DEMO_KINDS[request.demo] : 'full';
}

const DEMO_KINDS: Readonly<Record<DemoName, GroupKind>> = {
  fft: 'full',
  lora: 'adapters',
  loras: 'loras',
};

/** Modules and ranks of the open adapters; null while none are open. */
export function selectAdapters({ group }: SourcesState): AdapterContents | null {
  return group?.contents.kind === 'adapters' ? group.contents : null;
}

/** Open LoRA files without a base; null while none are open. */
export function selectLoras({ group }: SourcesState): LoraContents | null {
  return group?.contents.kind === 'loras' ? group.contents : null;
}

/** Elements of the open full fine-tunes' flat space; null while none are open. */
export function selectElementCount({ group }: SourcesState): number | null {
  return group?.contents.kind === 'full' ? group.contents.elementCount : null;
}

/** What the test splits hold, for people; `rows` where it is not the same for all. */
export function rowNoun(cards: readonly CheckpointCard[]): 'images' | 'texts' | 'rows' {
  const kinds = new Set(cards.flatMap(({ dataset }) => dataset?.rowKind ?? []));
  if (kinds.size !== 1) return 'rows';
  return kinds.has('image') ? 'images' : 'texts';
}

/** The tasks' cards in the group's order; none while nothing is open. */
export function taskCards(group: GroupFacts | null): readonly CheckpointCard[] {
  return group?.cards.filter((card) => card.role === 'task') ?? [];
}

export function baseCard(group: GroupFacts | null): CheckpointCard | null {
  return group?.cards.find((card) => card.role === 'base') ?? null;
}

/** Names of the tasks that have a data set and so an accuracy. */
export function scoredTasks(group: GroupFacts | null): readonly CheckpointCard[] {
  if (group === null || group.noAccuracyBecause !== null) return [];
  return taskCards(group).filter((card) => card.dataset !== null);
}

/** The visitor chose what to open, from disk or from a Hub. */
export function selectIsOwn({ request }: SourcesState): boolean {
  return request !== null && request.kind !== 'demo';
}

/**
 * Numbers are there or on their way, so that places are held for them. Of what the visitor brings,
 * only the loaded group tells which; nothing follows where opening or loading ended early.
 */
export function selectExpectsNumbers({ request, group, weights }: SourcesState): boolean {
  switch (weights) {
    case 'absent':
      return request === null;
    case 'waiting':
      return false;
    case 'checking':
    case 'loading':
    case 'loaded':
      return group !== null || request?.kind === 'demo';
  }
}

/**
 * A report stands in the place of numbers: it waits for Start, the weights are on their way, or
 * loading ended early.
 */
export function selectShowsReport({ preflight, group, weights }: SourcesState): boolean {
  if (preflight === null) return false;
  if (weights === 'loading') return group === null && !preflight.startsByItself;
  return weights === 'waiting' || weights === 'absent';
}

/**
 * How much of the ways to add sources stands on the page. `line`: what the visitor opened is named in
 * one line. `short`: a demo is open, and something of the visitor's own may follow. `whole`: nothing
 * is open, since that ended early, or it is being changed.
 */
export type SourcesExtent = 'line' | 'short' | 'whole';

export function selectSourcesExtent(state: SourcesState): SourcesExtent {
  const { request, weights, isChanging } = state;
  if (isChanging || (request !== null && weights === 'absent')) return 'whole';
  return selectIsOwn(state) ? 'line' : 'short';
}

export function selectIsChanging({ isChanging }: SourcesState): boolean {
  return isChanging;
}

export function selectWeights({ weights }: SourcesState): Weights {
  return weights;
}

export function selectPreflight({ preflight }: SourcesState): Preflight | null {
  return preflight;
}

/** The most bytes that loading and running were planned to hold; null before there is a plan. */
export function selectPlannedPeak({ preflight }: SourcesState): number | null {
  return preflight?.memory.peakBytes ?? null;
}

export function selectPatterns({ patterns }: SourcesState): NamePatterns {
  return patterns;
}

export function selectNotes({ notes }: SourcesState): readonly string[] {
  return notes;
}

/** Name patterns that no report stands beside, with the fields that would clear them. */
export function selectHidesPatterns({ preflight, weights, patterns }: SourcesState): boolean {
  const isUsed = patterns.include.length + patterns.exclude.length > 0;
  return isUsed && preflight === null && weights === 'absent';
}

export function selectRequest(state: SourcesState): SourceRequest | null {
  return state.request;
}

/** The visitor's own files by folder; none while the demo is open. */
export function localFileSets(request: SourceRequest | null): readonly FileSet[] {
  return request?.kind === 'files' ? fileSets(request.files) : [];
}
