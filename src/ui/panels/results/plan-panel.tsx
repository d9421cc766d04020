import { useStore } from 'zustand';
import { selectMemory } from '@/store/job/selectors';
import { jobStore } from '@/store/state/job';
import { selectIsOwn, selectPreflight } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { PreflightChoices } from '@/ui/panels/preflight/preflight-choices';
import { PreflightCosts } from '@/ui/panels/preflight/preflight-costs';
import { PreflightFindings } from '@/ui/panels/preflight/preflight-findings';
import styles from './plan-panel.module.css';

/** The report once it was started from, folded away: what was planned beside what was measured. */
export function PlanPanel() {
  const preflight = useStore(sourcesStore, selectPreflight);
  const memory = useStore(jobStore, selectMemory);
  const isOwn = useStore(sourcesStore, selectIsOwn);
  if (preflight === null) return null;
  return (
    <details className={styles.plan}>
      <summary className={styles.summary}>Checks, plan and measured memory</summary>
      <div className={styles.body}>
        <PreflightCosts preflight={preflight} measuredBytes={memory?.peakBytes ?? null} />
        <PreflightFindings findings={preflight.findings} />
        {isOwn && <PreflightChoices preflight={preflight} />}
      </div>
    </details>
  );
}
