import { useRef } from 'react';
import { useStore } from 'zustand';
import { startLoading } from '@/store/actions/job';
import { selectJob } from '@/store/job/selectors';
import { jobStore } from '@/store/state/job';
import { selectRates, settingsStore } from '@/store/state/settings';
import { expectedTime, type Preflight } from '@/store/sources/preflight';
import { selectPreflight, selectWeights } from '@/store/sources/selectors';
import { startState } from '@/store/sources/start-state';
import { sourcesStore } from '@/store/state/sources';
import { Button } from '@/ui/components/button';
import { blockedText, headline, startText } from '@/ui/words/preflight-text';
import { PreflightCheckpoints } from './preflight-checkpoints';
import { PreflightChoices } from './preflight-choices';
import { PreflightCosts } from './preflight-costs';
import { PreflightFindings } from './preflight-findings';
import styles from './preflight-panel.module.css';

/** What Start will do and what it costs, before anything large moves. */
export function PreflightPanel() {
  const preflight = useStore(sourcesStore, selectPreflight);
  const weights = useStore(sourcesStore, selectWeights);
  const heading = useRef<HTMLHeadingElement>(null);
  if (preflight === null) return null;
  const start = (): void => {
    // The button goes: the keyboard stays with the report.
    heading.current?.focus();
    void startLoading();
  };
  return (
    <section className={styles.report} aria-labelledby="preflight-headline">
      <header className={styles.head}>
        <h2 ref={heading} id="preflight-headline" tabIndex={-1} className={styles.headline}>
          {headline(preflight)}
        </h2>
        {weights !== 'loading' && <StartLine preflight={preflight} onStart={start} />}
      </header>
      <PreflightCosts preflight={preflight} measuredBytes={null} />
      <PreflightFindings findings={preflight.findings} />
      {weights !== 'loading' && <PreflightChoices preflight={preflight} />}
      <PreflightCheckpoints preflight={preflight} />
    </section>
  );
}

const REASON_ID = 'start-reason';

interface StartLineProps {
  readonly preflight: Preflight;
  readonly onStart: () => void;
}

/** The one thing to do next; beside it what it sets off, or why it can not be done. */
function StartLine({ preflight, onStart }: StartLineProps) {
  const weights = useStore(sourcesStore, selectWeights);
  const job = useStore(jobStore, selectJob);
  const rates = useStore(settingsStore, selectRates);
  const state = startState({ preflight, weights }, job);
  const isReady = state === 'ready';
  return (
    <div className={styles.start}>
      <Button look="strong" disabled={!isReady} describedBy={REASON_ID} onClick={onStart}>
        Start
      </Button>
      <p id={REASON_ID} className={styles.reason} data-blocked={!isReady && state !== 'busy'}>
        {isReady
          ? startText(preflight, expectedTime(preflight, rates))
          : blockedText(state, preflight)}
      </p>
    </div>
  );
}
