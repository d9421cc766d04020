/** Threads of the evaluator in a browser. */
import { type LaneHost } from '@/evaluate/runtime/lane-messages';
import { type LaneThreads } from '@/evaluate/runtime/lanes';
import threadUrl from './lane-thread.ts?worker&url';
import { startWorkers } from './own-workers';

export function startLanes(count: number): LaneThreads {
  return startWorkers<LaneHost>(threadUrl, count, 'peru-lane');
}
