import { useStore } from 'zustand';
import { changeEngine } from '@/store/actions/job';
import { adapterName, selectEngine } from '@/store/job/selectors';
import { type EngineFacts, jobStore } from '@/store/state/job';
import {
  type EnginePreference,
  selectEnginePreference,
  settingsStore,
} from '@/store/state/settings';
import { Button } from '@/ui/components/button';
import { useTheme } from '@/ui/hooks/theme';
import styles from './header-panel.module.css';

/** What Peru does, what it runs on here, and the theme. */
export function HeaderPanel() {
  const engine = useStore(jobStore, selectEngine);
  const { theme, toggle } = useTheme();
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <header className={styles.header}>
      <div className={styles.brand}>
        <h1 className={styles.name}>Peru</h1>
        <p className={styles.purpose}>
          Merge fine-tuned models into one, and keep the few weights each task can’t do without.
        </p>
      </div>
      <Button look="quiet" onClick={toggle}>
        {other === 'dark' ? 'Dark theme' : 'Light theme'}
      </Button>
      <div className={styles.engine}>
        <p>{engine === null ? '\u00a0' : <EngineLine facts={engine} />}</p>
        <EngineChoice />
      </div>
      {engine?.noGpu && <NoGpuBanner reason={engine.noGpu} />}
    </header>
  );
}

function EngineLine({ facts }: { readonly facts: EngineFacts }) {
  return (
    <>
      merging on <strong>{adapterName(facts)}</strong>
      {facts.passedOver && ', faster than the software adapter that this browser has'}
      {facts.evaluator !== '' && (
        <>
          {' · evaluating with '}
          <strong>{facts.evaluator}</strong>
        </>
      )}
    </>
  );
}

const CHOICES: Readonly<Record<EnginePreference, string>> = {
  auto: 'Automatic',
  gpu: 'GPU',
  processor: 'Processor',
};

/** Which of them computes; another opens what is open anew. */
function EngineChoice() {
  const preference = useStore(settingsStore, selectEnginePreference);
  return (
    <label className={styles.choice}>
      Compute on{' '}
      <select
        value={preference}
        onChange={({ target }) => void changeEngine(target.value as EnginePreference)}
      >
        {Object.entries(CHOICES).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function NoGpuBanner({ reason }: { readonly reason: NonNullable<EngineFacts['noGpu']> }) {
  return (
    <p className={styles.banner}>
      <strong>{reason.message}</strong> The processor does the merging instead: the numbers are the
      same. {reason.hint}
    </p>
  );
}
