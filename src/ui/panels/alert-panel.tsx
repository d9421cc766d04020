import { useStore } from 'zustand';
import { dismissAlert, retryJob } from '@/store/job/actions';
import { selectAlert, selectCanRetry } from '@/store/job/selectors';
import { jobStore } from '@/store/job/state';
import { allowNonFinite, chooseBase, openDemo } from '@/store/sources/actions';
import { selectIsLocal } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/sources/state';
import { Button } from '@/ui/components/button';
import styles from './alert-panel.module.css';

/** What failed, with what, and what to do next. */
export function AlertPanel() {
  const alert = useStore(jobStore, selectAlert);
  const canRetry = useStore(jobStore, selectCanRetry);
  const isLocal = useStore(sourcesStore, selectIsLocal);
  if (alert === null) return null;
  return (
    <div role="alert" className={styles.alert}>
      <p className={styles.message}>{alert.message}</p>
      <p>{alert.hint}</p>
      <div className={styles.actions}>
        {alert.choices?.map(({ id, name }) => (
          <Button
            key={id}
            onClick={() => {
              chooseBase(id);
            }}
          >
            Use {name} as base
          </Button>
        ))}
        {canRetry && (
          <Button look="strong" onClick={retryJob}>
            Try again
          </Button>
        )}
        {alert.kind === 'non-finite' && (
          <Button onClick={allowNonFinite}>Go on with NaN and Inf inside</Button>
        )}
        {isLocal && (
          <Button
            onClick={() => {
              openDemo('fft');
            }}
          >
            Open the demo
          </Button>
        )}
        <Button look="quiet" onClick={dismissAlert}>
          Dismiss
        </Button>
      </div>
    </div>
  );
}
