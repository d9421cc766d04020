/** What the visitor set for good; the only state that outlives the page. */
import { persist } from 'zustand/middleware';
import { createStore } from 'zustand/vanilla';

export type Theme = 'light' | 'dark';

export interface SettingsState {
  /** `system` follows the operating system's setting. */
  readonly theme: Theme | 'system';
  /** Device memory a job may hold, in bytes; null: what is suggested for the adapter. */
  readonly budgetBytes: number | null;
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
  rates: { fetched: null, loaded: null },
};

export const settingsStore = createStore<SettingsState>()(
  persist(() => INITIAL_SETTINGS, { name: 'peru-settings', version: 1 }),
);

/** Sets the theme; the one the system asks for anyway is stored as following the system. */
export function chooseTheme(theme: Theme, systemTheme: Theme): void {
  settingsStore.setState({ theme: theme === systemTheme ? 'system' : theme });
}

/** Sets the memory budget in bytes; null takes what is suggested. */
export function setBudget(budgetBytes: number | null): void {
  settingsStore.setState({ budgetBytes });
}

export function selectBudget({ budgetBytes }: SettingsState): number | null {
  return budgetBytes;
}

export function selectRates({ rates }: SettingsState): MeasuredRates {
  return rates;
}
