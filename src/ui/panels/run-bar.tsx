import { useStore } from 'zustand';
import { selectMade } from '@/store/export/selectors';
import { exportStore, type MadeExport } from '@/store/state/export';
import { hostOf } from '@/store/hub/selectors';
import { cancelJob, retryJob } from '@/store/actions/job';
import { type ProgressRate, secondsLeft, unitsPerSecond } from '@/store/state/progress-rate';
import {
  selectAlert,
  selectCanRetry,
  selectJob,
  selectMemory,
  selectPause,
} from '@/store/job/selectors';
import { type Job, jobStore, type MemoryFacts, type Pause, type Phase } from '@/store/state/job';
import { currentResultsFile } from '@/store/actions/download';
import { selectHasResults } from '@/store/results/selectors';
import { resultsStore } from '@/store/state/results';
import {
  rowNoun,
  scoredTasks,
  selectExpectsNumbers,
  selectGroup,
  selectPlannedPeak,
  taskCards,
} from '@/store/sources/selectors';
import { type GroupFacts, sourcesStore } from '@/store/state/sources';
import { Button } from '@/ui/components/button';
import { bytes, count, roughTime, seconds, taskCount } from '@/ui/words/format';
import { saveJson } from '@/ui/files/save-file';
import { useSecondsUntil } from '@/ui/hooks/use-seconds-until';
import styles from './run-bar.module.css';

/** What is going on, how far it is, and the way to stop it. Its height never changes. */
export function RunBar() {
  const job = useStore(jobStore, selectJob);
  const canRetry = useStore(jobStore, selectCanRetry);
  const alert = useStore(jobStore, selectAlert);
  const group = useStore(sourcesStore, selectGroup);
  const host = useStore(sourcesStore, ({ request }) => hostOf(request));
  const hasResults = useStore(resultsStore, selectHasResults);
  const expectsNumbers = useStore(sourcesStore, selectExpectsNumbers);
  const memory = useStore(jobStore, selectMemory);
  const planned = useStore(sourcesStore, selectPlannedPeak);
  const made = useStore(exportStore, selectMade);
  const pause = useStore(jobStore, selectPause);
  const pace = job.status === 'working' ? job.pace : null;
  return (
    <div className={styles.bar} data-stays={job.status === 'working' ? true : undefined}>
      <div className={styles.text}>
        <p role="status" className={styles.status} data-status={job.status}>
          {pause === null ? statusText(job, group, host, made) : <PauseText pause={pause} />}
        </p>
        <p className={styles.detail}>{detailText(pace, memory, planned)}</p>
      </div>
      <div className={styles.actions}>
        {job.status === 'working' && <Button onClick={cancelJob}>Cancel</Button>}
        {/* While an alert stands, it offers the same by the name of "Try again". */}
        {canRetry && alert === null && <Button onClick={retryJob}>Run again</Button>}
        {(hasResults || expectsNumbers) && (
          <Button onClick={downloadResults} disabled={!hasResults}>
            Download results
          </Button>
        )}
      </div>
      <div className={styles.track}>{job.status === 'working' && <ProgressLine pace={pace} />}</div>
    </div>
  );
}

/** The seconds are for eyes: read out one by one, they would drown the page. */
function PauseText({ pause: { host, untilMs } }: { readonly pause: Pause }) {
  const left = useSecondsUntil(untilMs);
  return (
    <>
      Waiting: {host} answers too many requests from this network (429)
      <span aria-hidden="true">, next try in {left} s</span>
    </>
  );
}

function ProgressLine({ pace }: { readonly pace: ProgressRate | null }) {
  const label = pace?.progress.stage ?? 'Starting';
  if (pace === null || pace.progress.total === 0) {
    return <progress className={styles.progress} aria-label={label} />;
  }
  const { done, total } = pace.progress;
  return <progress className={styles.progress} aria-label={label} value={done} max={total} />;
}

/** Coarse on purpose: it is read out, and a new sentence for every cell would drown the page. */
function statusText(
  job: Job,
  group: GroupFacts | null,
  host: string | null,
  made: MadeExport | null,
): string {
  switch (job.status) {
    case 'idle':
      return 'Starting';
    case 'working':
      return phaseText(job.phase, group, host);
    case 'waiting':
      return 'Ready to start';
    case 'cancelled':
      return CANCELLED[job.phase];
    case 'failed':
      return 'Stopped by an error';
    case 'done':
      return `Done in ${seconds(job.seconds)}: ${doneText(job.phase, group, made)}`;
  }
}

/** The step in hand; between jobs, what the weights take up. Its line stands even when empty. */
function detailText(
  pace: ProgressRate | null,
  memory: MemoryFacts | null,
  planned: number | null,
): string {
  if (pace !== null) return paceText(pace);
  if (memory === null) return '\u00a0';
  const { liveBytes, peakBytes } = memory;
  const plan = planned === null ? '' : ` (${bytes(planned)} planned)`;
  const peak = peakBytes > liveBytes || plan !== '' ? `, ${bytes(peakBytes)} at most${plan}` : '';
  return `${bytes(liveBytes)} of memory held for weights${peak}`;
}

const CANCELLED: Readonly<Record<Phase, string>> = {
  open: 'Cancelled before the checkpoints were open',
  plan: 'Cancelled before it was planned anew',
  load: 'Cancelled before the weights were loaded',
  run: 'Cancelled: what was computed so far stays',
  export: 'Cancelled: nothing half-written is left',
  zip: 'Cancelled before the files were packed',
  save: 'Cancelled: nothing half-written is left',
  upload: 'Cancelled before the upload was complete',
};

/** Whoever followed a link learns which Hub it asks. */
function phaseText(phase: Phase, group: GroupFacts | null, host: string | null): string {
  switch (phase) {
    case 'open':
      return host === null ? 'Opening the checkpoints' : `Opening the repos from ${host}`;
    case 'plan':
      return 'Planning anew';
    case 'load':
      return host === null ? 'Loading the weights' : `Loading the weights from ${host}`;
    case 'run':
      return workingText(group);
    case 'export':
      return 'Making the files';
    case 'zip':
      return 'Packing the files';
    case 'save':
      return 'Saving the files';
    case 'upload':
      return 'Uploading the files';
  }
}

function workingText(group: GroupFacts | null): string {
  if (group?.contents.kind === 'loras') return 'Computing ranks';
  const pruning = group?.contents.kind === 'adapters' ? 'compressing' : 'pruning';
  return scoredTasks(group).length > 0
    ? `Merging, ${pruning} and scoring`
    : `Merging and ${pruning}`;
}

function doneText(
  phase: Extract<Job, { status: 'done' }>['phase'],
  group: GroupFacts | null,
  made: MadeExport | null,
): string {
  if (phase === 'run' || made === null) return computedText(group);
  const { files, bytes: all } = made.facts;
  return `${count(files.length)} files, ${bytes(all)}, ${TAKEN[phase]}`;
}

const TAKEN = {
  export: 'made and read back',
  zip: 'packed into one zip',
  save: 'saved',
  upload: 'uploaded',
} as const;

function computedText(group: GroupFacts | null): string {
  const tasks = taskCards(group).length;
  if (group?.contents.kind === 'loras')
    return `${count(tasks)} LoRA ${tasks === 1 ? 'file' : 'files'} factorised`;
  const isAdapters = group?.contents.kind === 'adapters';
  const scored = scoredTasks(group);
  const rows = scored.reduce((sum, card) => sum + (card.dataset?.rowCount ?? 0), 0);
  return scored.length > 0
    ? `${scored.length} tasks scored on ${count(rows)} ${rowNoun(scored)}`
    : `${taskCount(tasks, isAdapters)} merged and ${isAdapters ? 'compressed' : 'pruned'}`;
}

function paceText(pace: ProgressRate): string {
  const { stage, done, total, unit } = pace.progress;
  const parts = [stage];
  const amount = unit === 'bytes' ? bytes : count;
  const noun = unit === 'bytes' ? '' : ` ${unit}`;
  const rate = unitsPerSecond(pace);
  if (unit !== 'tasks') {
    parts.push(`${amount(done)} of ${amount(total)}${noun}`);
    if (rate !== null) parts.push(`${amount(rate)} a second`);
  }
  const left = secondsLeft(pace);
  if (left !== null) parts.push(`about ${roughTime(left)} left`);
  return parts.join(' · ');
}

function downloadResults(): void {
  const results = currentResultsFile();
  if (results !== null) saveJson('results.json', results);
}
