/** The bench in Node, through Dawn. Exit status 3: no adapter here. */
import { create, globals } from 'webgpu';
import { errorFacts } from '../src/core/errors';
import { linesTo } from './record';

const NO_ADAPTER = 3;

Object.assign(globalThis, globals);
// Node 20 lacks Float16Array, which webgpu-utils names at import and the bench never uses.
if (!('Float16Array' in globalThis)) Object.assign(globalThis, { Float16Array: Uint16Array });
try {
  const { runBench } = await import('./run');
  await runBench({
    quick: process.argv.includes('--quick'),
    host: 'dawn',
    gpu: create([]),
    ...linesTo((line) => {
      console.log(line);
    }),
  });
  process.exit(0); // Dawn keeps the process alive
} catch (error) {
  const { kind, message, hint } = errorFacts(error);
  if (kind !== 'gpu-unavailable') console.error(`${message}\n${hint}`);
  process.exit(kind === 'gpu-unavailable' ? NO_ADAPTER : 1);
}
