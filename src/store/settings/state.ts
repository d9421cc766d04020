/** What the visitor set for good; the only state that outlives the page. */
import { persist } from 'zustand/middleware';
import { createStore } from 'zustand/vanilla';

export type Theme = 'light' | 'dark';

export interface SettingsState {
  /** `system` follows the operating system's setting. */
  readonly theme: Theme | 'system';
}

export const settingsStore = createStore<SettingsState>()(
  persist((): SettingsState => ({ theme: 'system' }), { name: 'peru-settings', version: 1 }),
);

/** Sets the theme; the one the system asks for anyway is stored as following the system. */
export function chooseTheme(theme: Theme, systemTheme: Theme): void {
  settingsStore.setState({ theme: theme === systemTheme ? 'system' : theme });
}
