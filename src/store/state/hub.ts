/** What the visitor named on a Hub, and which Hub that is. Nothing here is ever stored. */
import { createStore } from 'zustand/vanilla';
import { type HubCacheUsage, type KeptRepo } from '@/platform/browser/hub-cache';

export interface HubState {
  /** As they were typed, base and tasks in any order; the same text never stands twice. */
  readonly repos: readonly string[];
  /** The Hub they are read from; null: the public one. */
  readonly hubUrl: string | null;
  /** Typed for the Hub of `hubUrl`, and sent to no other; empty: none. The only copy there is. */
  readonly accessToken: string;
  /** Files of any Hub on this disk; null where the browser keeps none, or before it was asked. */
  readonly kept: HubCacheUsage | null;
  /** Of these, what belongs to which repo, the largest first. */
  readonly keptRepos: readonly KeptRepo[];
  /** Something was not kept for want of room since the page was opened. */
  readonly isDiskFull: boolean;
}

export const INITIAL_HUB_STATE: HubState = {
  repos: [],
  hubUrl: null,
  accessToken: '',
  kept: null,
  keptRepos: [],
  isDiskFull: false,
};

export const hubStore = createStore<HubState>(() => INITIAL_HUB_STATE);
