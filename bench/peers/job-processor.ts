/**
 * Peru's job in Node on the processor's threads: `job-processor.js GROUP LAMBDA PERCENT FILE`, or with
 * bytes to hold at most in place of the file, weights streamed and nothing else.
 */
import { availableParallelism } from 'node:os';
import { nodeThreads } from '../../src/platform/node/processor-threads';
import { createProcessorEngine } from '../../src/processor/engine';
import { madeUpProducts, MATRICES } from '../made-up-products';
import { median } from '../pairs';
import { recordLine } from '../record';
import { runJob } from './job';
import { describeJob, jobSeconds } from './job-facts';

const SVD_RUNS = 5;

const [group = '', lambda, percent, last = ''] = process.argv.slice(2);
const [coefficient, keptPercent] = [Number(lambda), Number(percent)];
const isStreamed = /^\d+$/.test(last);
const script = new URL('./processor-thread.js', import.meta.url);
const engine = createProcessorEngine(nodeThreads(script, availableParallelism()));
const done = (): Promise<void> => Promise.resolve();
const beside = isStreamed ? { budgetBytes: Number(last) } : { mergedFile: last };
const facts = await runJob({ engine, done, group, coefficient, keptPercent, ...beside });
const peakBytes = process.resourceUsage().maxRSS * 1024;
const svdSeconds = isStreamed ? 0 : await timeSvd();
engine.dispose();

console.log(`${describeJob(facts)}; peak memory of the process ${(peakBytes / 1e9).toFixed(1)} GB`);
const { readSeconds, mergeSeconds, writeSeconds } = facts;
const seconds = jobSeconds(facts);
const toFileSeconds = readSeconds + mergeSeconds + (writeSeconds ?? 0);
console.log(recordLine('job', { program: 'Peru', seconds, toFileSeconds, peakBytes, svdSeconds }));

/** Seconds of all products' SVD, the median of a few runs. */
async function timeSvd(): Promise<number> {
  const taken: number[] = [];
  for (let run = -1; run < SVD_RUNS; run++) {
    const products = engine.createLowRankGroup(madeUpProducts(MATRICES));
    const start = performance.now();
    await products.factorize();
    if (run >= 0) taken.push((performance.now() - start) / 1000); // the first one compiles
    products.dispose();
  }
  return median(taken);
}
