/** Peru's job in Node, through Dawn: `job-node.js GROUP LAMBDA PERCENT`. Exit 3: no adapter here. */
import { create, globals } from 'webgpu';
import { errorFacts } from '../../src/core/errors';
import { type FloatDtype } from '../../src/tensor/dtype';
import { recordLine } from '../record';
import { describeJob, jobSeconds } from './job-facts';

const NO_ADAPTER = 3;
/** make_models.py writes a base and eight fine-tunes, all in F16. */
const TASKS = 8;

Object.assign(globalThis, globals);
// Node 20 lacks Float16Array, which webgpu-utils names at import and the bench never uses.
if (!('Float16Array' in globalThis)) Object.assign(globalThis, { Float16Array: Uint16Array });
const [group = '', lambda, percent] = process.argv.slice(2);
try {
  const [{ runJob }, { openDevice }, { createGpuEngine, warmUpKernels }] = await Promise.all([
    import('./job'),
    import('../../src/gpu/device'),
    import('../../src/kernels/engine'),
  ]);
  const [coefficient, keptPercent] = [Number(lambda), Number(percent)];
  const handle = await openDevice({ gpu: create([]) });
  // Compiled before the clock starts: the page does it while files arrive.
  await warmUpKernels(handle, [Array<FloatDtype>(TASKS + 1).fill('F16')]);
  const engine = createGpuEngine(handle);
  const done = (): Promise<unknown> => handle.device.queue.onSubmittedWorkDone();
  const facts = await runJob({ engine, done, group, coefficient, keptPercent });
  console.log(describeJob(facts));
  const { description: adapter, fallback: software } = facts.adapter;
  const { parameters, tasks, enginePeakBytes } = facts;
  const on = { program: 'Peru through Dawn', adapter, software };
  const seconds = jobSeconds(facts);
  console.log(recordLine('job', { ...on, seconds, parameters, tasks, enginePeakBytes }));
  process.exit(0); // Dawn keeps the process alive
} catch (error) {
  const { kind, message, hint } = errorFacts(error);
  if (kind !== 'gpu-unavailable') console.error(`${message}\n${hint}`);
  process.exit(kind === 'gpu-unavailable' ? NO_ADAPTER : 1);
}
