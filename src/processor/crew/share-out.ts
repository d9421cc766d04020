/** Jobs that any thread can do, each taken by the one that is free first. */
import { type Remote } from 'comlink';
import { type ComputeThread } from '../thread/compute-thread';
import { type Crew } from './crew';

/**
 * Asks about each job once, one job a thread at a time; none is begun after one has failed.
 *
 * @returns the answers in the order of the jobs
 */
export async function shareOut<Job, Answer>(
  crew: Crew,
  jobs: readonly Job[],
  ask: (thread: Remote<ComputeThread>, job: Job) => Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  let next = 0;
  await crew.ask(async (thread) => {
    try {
      while (next < jobs.length) {
        const index = next++;
        answers[index] = await ask(thread, jobs[index]!);
      }
    } catch (error) {
      next = jobs.length;
      throw error;
    }
  });
  return answers;
}
