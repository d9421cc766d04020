import { useStore } from 'zustand';
import { adapterName, selectEngine } from '@/store/job/selectors';
import { type EngineFacts, jobStore } from '@/store/state/job';
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
      <p className={styles.engine}>{engine === null ? '\u00a0' : <EngineLine facts={engine} />}</p>
      {engine?.noGpu && <NoGpuBanner reason={engine.noGpu} />}
    </header>
  );
}

function EngineLine({ facts }: { readonly facts: EngineFacts }) {
  return (
    <>
      merging on <strong>{adapterName(facts)}</strong>
      {facts.evaluator !== '' && (
        <>
          {' · evaluating with '}
          <strong>{facts.evaluator}</strong>
        </>
      )}
    </>
  );
}

function NoGpuBanner({ reason }: { readonly reason: NonNullable<EngineFacts['noGpu']> }) {
  return (
    <p className={styles.banner}>
      <strong>{reason.message}</strong> The processor does the merging instead: the numbers are the
      same, they take longer. {reason.hint}
    </p>
  );
}
