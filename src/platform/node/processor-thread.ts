/** A thread of the processor engine in Node. */
import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { createComputeThread } from '@/processor/thread/compute-thread';

if (!parentPort) throw new Error('This file is the script of a thread.');
expose(createComputeThread(), nodeEndpoint(parentPort));
