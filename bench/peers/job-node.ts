/** Peru's job in Node, through Dawn: `job-node.js GROUP LAMBDA PERCENT`. Exit 3: no adapter here. */
import { create, globals } from 'webgpu';
import { errorFacts } from '../../src/core/errors';

const NO_ADAPTER = 3;

Object.assign(globalThis, globals);
// Node 20 lacks Float16Array, which webgpu-utils names at import and the bench never uses.
if (!('Float16Array' in globalThis)) Object.assign(globalThis, { Float16Array: Uint16Array });
const [group = '', lambda, percent] = process.argv.slice(2);
try {
  const { runJob } = await import('./job');
  const [coefficient, keptPercent] = [Number(lambda), Number(percent)];
  console.log(await runJob({ gpu: create([]), group, coefficient, keptPercent }));
  process.exit(0); // Dawn keeps the process alive
} catch (error) {
  const { kind, message, hint } = errorFacts(error);
  if (kind !== 'gpu-unavailable') console.error(`${message}\n${hint}`);
  process.exit(kind === 'gpu-unavailable' ? NO_ADAPTER : 1);
}
