import { useStore } from 'zustand';
import { selectRunEnded } from '@/store/job/selectors';
import { jobStore } from '@/store/state/job';

/** What to say where a result is missing: that it is on its way, or that it is not any more. */
export function useWaiting(): (onItsWay: string) => string {
  const runEnded = useStore(jobStore, selectRunEnded);
  return (onItsWay) => (runEnded ? 'Not computed: the run ended early.' : onItsWay);
}
