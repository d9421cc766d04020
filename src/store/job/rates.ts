/** How fast bytes came here, for the time that the next report expects. */
import { settingsStore } from '@/store/state/settings';
import { sourcesStore } from '@/store/state/sources';
import { jobStore } from '@/store/state/job';

/** Fewer bytes or less time say more about the start of a job than about its speed. */
const LEAST_BYTES = 16e6;
const LEAST_SECONDS = 1;

/** Of a job whose bytes came from both network and disk, the speed of neither is known. */
const NEARLY_ALL = 0.9;

/** Keeps the speed of the load that has just ended, if it was large enough to tell one. */
export function rememberRate(): void {
  const { job } = jobStore.getState();
  const { request, preflight } = sourcesStore.getState();
  if (job.status !== 'working' || job.pace === null) return;
  if (preflight === null || request === null || request.kind === 'demo') return;
  const { progress, startMs, doneAtStart, nowMs } = job.pace;
  const moved = progress.done - doneAtStart;
  const seconds = (nowMs - startMs) / 1000;
  if (progress.unit !== 'bytes' || moved < LEAST_BYTES || seconds < LEAST_SECONDS) return;
  const { toFetchBytes, neededBytes } = preflight.bytes;
  const rate = moved / seconds;
  if (toFetchBytes >= NEARLY_ALL * neededBytes) keep({ fetched: rate });
  else if (toFetchBytes === 0) keep({ loaded: rate });
}

function keep(rate: { readonly fetched: number } | { readonly loaded: number }): void {
  settingsStore.setState(({ rates }) => ({ rates: { ...rates, ...rate } }));
}
