/** Runs the bench of evaluators in a worker, where Peru runs its own, and shows what it posts. */
import { type EvaluationNews, type EvaluationRequest } from './evaluation';

const log = document.querySelector('pre')!;
const status = document.querySelector('p')!;
const asked = new URLSearchParams(location.search);

const provider = asked.has('webgpu') ? 'webgpu' : 'wasm';
const cores = navigator.hardwareConcurrency;
/** A runtime's threads are settled once: each number has a worker of its own. */
const threadCounts = provider === 'wasm' && cores > 1 ? [1, cores] : [1];

void runAll();

async function runAll(): Promise<void> {
  let ended = 'Done';
  for (const threads of threadCounts) {
    ended = await run({ quick: asked.has('quick'), provider, threads });
    if (ended !== 'Done') break;
  }
  status.textContent = ended;
}

function run(request: EvaluationRequest): Promise<string> {
  const worker = new Worker(new URL('./evaluation.ts', import.meta.url), { type: 'module' });
  return new Promise<string>((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<EvaluationNews>) => {
      if ('line' in data) log.textContent += `${data.line}\n`;
      else resolve(data.ended);
    };
    worker.onerror = ({ message }) => {
      resolve(`Failed: ${message}`);
    };
    worker.postMessage(request);
  }).finally(() => {
    worker.terminate();
  });
}
