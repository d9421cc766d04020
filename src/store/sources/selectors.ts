import { type FileSet, fileSets } from './file-list';
import {
  type CheckpointCard,
  type GroupFacts,
  type SourceRequest,
  type SourcesState,
} from './state';

export type { FileSet };

export function selectGroup(state: SourcesState): GroupFacts | null {
  return state.group;
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

export function selectIsLocal(state: SourcesState): boolean {
  return state.request?.kind === 'files';
}

export function selectRequest(state: SourcesState): SourceRequest | null {
  return state.request;
}

/** The visitor's own files by folder; none while the demo is open. */
export function localFileSets(request: SourceRequest | null): readonly FileSet[] {
  return request?.kind === 'files' ? fileSets(request.files) : [];
}
