import { type ReactNode } from 'react';
import { useStore } from 'zustand';
import { chooseRepo } from '@/store/actions/hub';
import { dismissAlert, replan, retryJob } from '@/store/actions/job';
import { selectAlert, selectCanRetry } from '@/store/job/selectors';
import { type ErrorChoice, type ErrorFacts, jobStore } from '@/store/state/job';
import { wayOn } from '@/store/job/way-on';
import { selectBudget, settingsStore } from '@/store/state/settings';
import { allowNonFinite, chooseBase, leaveOut, openDemo } from '@/store/actions/sources';
import { selectHidesPatterns, selectIsOwn } from '@/store/sources/selectors';
import { NO_PATTERNS, sourcesStore } from '@/store/state/sources';
import { Button } from '@/ui/components/button';
import { MANY } from '@/ui/components/many';
import { BasePicker } from '@/ui/panels/sources/base-picker';
import styles from './alert-panel.module.css';

/** What failed, with what, and what to do next: what helps is the strong one of the buttons. */
export function AlertPanel() {
  const alert = useStore(jobStore, selectAlert);
  const canRetry = useStore(jobStore, selectCanRetry);
  const isOwn = useStore(sourcesStore, selectIsOwn);
  const hidesPatterns = useStore(sourcesStore, selectHidesPatterns);
  const budget = useStore(settingsStore, selectBudget);
  if (alert === null) return null;
  const hasBudget = budget !== null;
  const way = wayOn(alert, { canRetry, hasBudget, hidesPatterns });
  const look = (of: typeof way): 'strong' | 'plain' => (of === way ? 'strong' : 'plain');
  return (
    <div role="alert" className={styles.alert}>
      <p className={styles.message}>{alert.message}</p>
      <p>{withLinks(alert.hint)}</p>
      <div className={styles.actions}>
        <Choices error={alert} look={look('choice')} />
        {alert.kind === 'out-of-memory' && hasBudget && (
          <Button look={look('default-budget')} onClick={takeSuggestedBudget}>
            Use the suggested memory budget
          </Button>
        )}
        {alert.kind === 'mismatch' && hidesPatterns && (
          <Button look={look('all-tensors')} onClick={mergeAllTensors}>
            Merge all tensors
          </Button>
        )}
        {alert.exclude !== undefined && alert.exclude.length > 0 && (
          <LeaveOut exclude={alert.exclude} look={look('leave-out')} />
        )}
        {alert.kind === 'non-finite' && (
          <Button look={look('go-on')} onClick={allowNonFinite}>
            Go on with NaN and Inf inside
          </Button>
        )}
        {canRetry && (
          <Button look={way === 'retry' ? 'strong' : 'quiet'} onClick={retryJob}>
            Try again
          </Button>
        )}
        {isOwn && (
          <Button
            look="quiet"
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

interface LeaveOutProps {
  readonly exclude: readonly string[];
  readonly look: 'strong' | 'plain';
}

/** The rest merges without what the error is about, which stays as the base has it. */
function LeaveOut({ exclude, look }: LeaveOutProps) {
  return (
    <Button
      look={look}
      onClick={() => {
        leaveOut(exclude);
      }}
    >
      Leave {exclude.length === 1 ? exclude[0] : 'these tensors'} out of the merge
    </Button>
  );
}

interface ChoicesProps {
  readonly error: ErrorFacts;
  readonly look: 'strong' | 'plain';
}

/** Answers to what could not be told: a button each, or one list where they are many. */
function Choices({ error: { kind, choices = [] }, look }: ChoicesProps) {
  if (kind === 'choose-base' && choices.length >= MANY) return <BasePicker choices={choices} />;
  return choices.map((choice) => (
    <Choice key={choice.id} choice={choice} kind={kind} look={look} />
  ));
}

interface ChoiceProps {
  readonly choice: ErrorChoice;
  readonly kind: ErrorFacts['kind'];
  readonly look: 'strong' | 'plain';
}

/** Which checkpoint is the base, or which repo is meant. */
function Choice({ choice, kind, look }: ChoiceProps) {
  const isRepo = kind === 'choose-repo';
  return (
    <Button
      look={look}
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
