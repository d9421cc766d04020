/** What the visitor set for good; the only state that outlives the page. */
import { persist } from 'zustand/middleware';
import { createStore } from 'zustand/vanilla';
import { type EnginePreference } from '@/protocol/requests';

export type { EnginePreference };

export type Theme = 'light' | 'dark';

export interface SettingsState {
  /** `system` follows the operating system's setting. */
  readonly theme: Theme | 'system';
  /** Device memory a job may hold, in bytes; null: what is suggested for the adapter. */
  readonly budgetBytes: number | null;
  /** What is to compute. */
  readonly engine: EnginePreference;
  /** What the page's link says of it, for this visit; null: nothing, or the visitor chose since. */
  readonly linkedEngine: EnginePreference | null;
  /** Measured in the last large enough job; null before there was one. */
  readonly rates: MeasuredRates;
}

/** Bytes a second, from the first byte asked for to the last one checked. */
export interface MeasuredRates {
  /** From a Hub to the engine. */
  readonly fetched: number | null;
  /** From this disk to the engine. */
  readonly loaded: number | null;
}

export const INITIAL_SETTINGS: SettingsState = {
  theme: 'system',
  budgetBytes: null,
  engine: 'auto',
  linkedEngine: null,
  rates: { fetched: null, loaded: null },
};

export const settingsStore = createStore<SettingsState>()(
  persist(() => INITIAL_SETTINGS, {
    ...{ name: 'peru-settings', version: 1 },
    partialize: ({ theme, budgetBytes, engine, rates }) => ({ theme, budgetBytes, engine, rates }),
  }),
);

/** Sets the theme; the one the system asks for anyway is stored as following the system. */
export function chooseTheme(theme: Theme, systemTheme: Theme): void {
  settingsStore.setState({ theme: theme === systemTheme ? 'system' : theme });
}

/** Sets the memory budget in bytes; null takes what is suggested. */
export function setBudget(budgetBytes: number | null): void {
  settingsStore.setState({ budgetBytes });
}

/** Sets what computes from the next opening on, whatever the link says. */
export function preferEngine(engine: EnginePreference): void {
  settingsStore.setState({ engine, linkedEngine: null });
}

export function selectEnginePreference({ engine, linkedEngine }: SettingsState): EnginePreference {
  return linkedEngine ?? engine;
}

export function selectBudget({ budgetBytes }: SettingsState): number | null {
  return budgetBytes;
}

export function selectRates({ rates }: SettingsState): MeasuredRates {
  return rates;
}
