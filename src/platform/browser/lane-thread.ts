/** The script of a thread that computes accuracy. */
import { expose } from 'comlink';
import { createLaneHost } from '@/evaluate/runtime/lane-host';

expose(createLaneHost());
