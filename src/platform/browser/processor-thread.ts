/** A thread of the processor engine. */
import { expose } from 'comlink';
import { createComputeThread } from '@/processor/thread/compute-thread';

expose(createComputeThread());
