/** Threads of the processor engine in a browser. */
import { inlineThreads, type Threads } from '@/processor/crew/threads';
import { type ComputeThread } from '@/processor/thread/compute-thread';
import { coreCount, startWorkers } from './own-workers';
import threadUrl from './processor-thread.ts?worker&url';

/** More threads than this wait for memory, not for each other. */
const MOST_THREADS = 16;

/** As many as there are cores; this thread alone where workers can not start others. */
export function browserThreads(): Threads {
  if (!('Worker' in globalThis)) return inlineThreads(1);
  const count = Math.min(MOST_THREADS, coreCount());
  return startWorkers<ComputeThread>(threadUrl, count, 'peru-processor');
}
