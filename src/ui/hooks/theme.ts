/** Light and dark: the visitor's choice, else the system's, kept on the root element. */
import { useEffect, useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import { chooseTheme, type SettingsState, settingsStore, type Theme } from '@/store/state/settings';

const DARK_QUERY = '(prefers-color-scheme: dark)';

/** The theme shown, and a switch to the other one. */
export function useTheme(): { readonly theme: Theme; readonly toggle: () => void } {
  const choice = useStore(settingsStore, selectTheme);
  const systemTheme = useSyncExternalStore(subscribeToSystem, readSystemTheme);
  const theme = choice === 'system' ? systemTheme : choice;
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return {
    theme,
    toggle: () => {
      chooseTheme(theme === 'dark' ? 'light' : 'dark', systemTheme);
    },
  };
}

function selectTheme(state: SettingsState): SettingsState['theme'] {
  return state.theme;
}

function subscribeToSystem(onChange: () => void): () => void {
  const query = matchMedia(DARK_QUERY);
  query.addEventListener('change', onChange);
  return () => {
    query.removeEventListener('change', onChange);
  };
}

function readSystemTheme(): Theme {
  return matchMedia(DARK_QUERY).matches ? 'dark' : 'light';
}
