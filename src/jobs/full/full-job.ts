import { type Job } from '@/jobs/scoring/scored-group';
import { type FullGroup } from './load-full';

/** One run of a recipe on a group of full fine-tunes. */
export type FullJob = Job<FullGroup>;
