import { type Job } from '@/worker/scoring/scored-group';
import { type AdapterGroup } from './load-adapters';

/** One run of a recipe on a group of adapters. */
export type AdapterJob = Job<AdapterGroup>;
