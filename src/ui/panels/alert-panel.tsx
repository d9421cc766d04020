import { type ReactNode } from 'react';
import { useStore } from 'zustand';
import { chooseRepo } from '@/store/hub/actions';
import { dismissAlert, replan, retryJob } from '@/store/job/actions';
import { selectAlert, selectCanRetry } from '@/store/job/selectors';
import { type ErrorChoice, type ErrorFacts, jobStore } from '@/store/job/state';
import { selectBudget, settingsStore } from '@/store/settings/state';
import { allowNonFinite, chooseBase, leaveOut, openDemo } from '@/store/sources/actions';
import { selectHidesPatterns, selectIsOwn } from '@/store/sources/selectors';
import { NO_PATTERNS, sourcesStore } from '@/store/sources/state';
import { Button } from '@/ui/components/button';
import styles from './alert-panel.module.css';

/** What failed, with what, and what to do next. */
export function AlertPanel() {
  const alert = useStore(jobStore, selectAlert);
  const canRetry = useStore(jobStore, selectCanRetry);
  const isOwn = useStore(sourcesStore, selectIsOwn);
  const hidesPatterns = useStore(sourcesStore, selectHidesPatterns);
  const budget = useStore(settingsStore, selectBudget);
  if (alert === null) return null;
  return (
    <div role="alert" className={styles.alert}>
      <p className={styles.message}>{alert.message}</p>
      <p>{withLinks(alert.hint)}</p>
      <div className={styles.actions}>
        {alert.choices?.map((choice) => (
          <Choice key={choice.id} choice={choice} kind={alert.kind} />
        ))}
        {canRetry && (
          <Button look="strong" onClick={retryJob}>
            Try again
          </Button>
        )}
        {alert.kind === 'out-of-memory' && budget !== null && (
          <Button onClick={takeSuggestedBudget}>Use the suggested memory budget</Button>
        )}
        {alert.kind === 'mismatch' && hidesPatterns && (
          <Button onClick={mergeAllTensors}>Merge all tensors</Button>
        )}
        {alert.exclude !== undefined && alert.exclude.length > 0 && (
          <LeaveOut exclude={alert.exclude} />
        )}
        {alert.kind === 'non-finite' && (
          <Button onClick={allowNonFinite}>Go on with NaN and Inf inside</Button>
        )}
        {isOwn && (
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

function takeSuggestedBudget(): void {
  dismissAlert();
  void replan({ budgetBytes: null });
}

function mergeAllTensors(): void {
  void replan(NO_PATTERNS);
}

/** The rest merges without what the error is about, which stays as the base has it. */
function LeaveOut({ exclude }: { readonly exclude: readonly string[] }) {
  const [only] = exclude;
  return (
    <Button
      onClick={() => {
        leaveOut(exclude);
      }}
    >
      Leave {exclude.length === 1 ? only : 'these tensors'} out of the merge
    </Button>
  );
}

interface ChoiceProps {
  readonly choice: ErrorChoice;
  readonly kind: ErrorFacts['kind'];
}

/** An answer to what could not be told: which checkpoint is the base, or which repo is meant. */
function Choice({ choice, kind }: ChoiceProps) {
  const isRepo = kind === 'choose-repo';
  return (
    <Button
      onClick={() => {
        if (isRepo) chooseRepo(choice);
        else chooseBase(choice.id);
      }}
    >
      Use {choice.name}
      {!isRepo && ' as base'}
    </Button>
  );
}

/** Addresses in a hint are where the visitor goes next. */
function withLinks(text: string): ReactNode[] {
  return text.split(ADDRESS).map((part, i) =>
    part.startsWith('https://') || part.startsWith('http://') ? (
      <a key={i} href={part} target="_blank" rel="noreferrer">
        {part}
      </a>
    ) : (
      part
    ),
  );
}

/** Up to the punctuation of the sentence it stands in. */
const ADDRESS = /(https?:\/\/\S+[^\s.,;:)])/;
