/** Runs the bench of evaluators in a worker, where Peru runs its own, and shows what it posts. */
import { type EvaluationNews, type EvaluationRequest } from './evaluation';

const log = document.querySelector('pre')!;
const status = document.querySelector('p')!;
const asked = new URLSearchParams(location.search);

const worker = new Worker(new URL('./evaluation.ts', import.meta.url), { type: 'module' });
worker.onmessage = ({ data }: MessageEvent<EvaluationNews>) => {
  if ('line' in data) log.textContent += `${data.line}\n`;
  else status.textContent = data.ended;
};
worker.onerror = ({ message }) => {
  status.textContent = `Failed: ${message}`;
};
worker.postMessage({
  quick: asked.has('quick'),
  provider: asked.has('webgpu') ? 'webgpu' : 'wasm',
} satisfies EvaluationRequest);
