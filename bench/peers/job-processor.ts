/** Peru's job in Node on the processor's threads: `job-processor.js GROUP LAMBDA PERCENT FILE`. */
import { availableParallelism } from 'node:os';
import { nodeThreads } from '../../src/platform/node/processor-threads';
import { createProcessorEngine } from '../../src/processor/engine';
import { madeUpProducts, MATRICES, median } from '../made-up-products';
import { runJob } from './job';

const [group = '', lambda, percent, mergedFile = ''] = process.argv.slice(2);
const [coefficient, keptPercent] = [Number(lambda), Number(percent)];
const script = new URL('./processor-thread.js', import.meta.url);
const engine = createProcessorEngine(nodeThreads(script, availableParallelism()));
const done = (): Promise<void> => Promise.resolve();
console.log(await runJob({ engine, done, group, coefficient, keptPercent, mergedFile }));
const seconds: number[] = [];
for (let run = 0; run < 6; run++) {
  const products = engine.createLowRankGroup(madeUpProducts(MATRICES));
  const start = performance.now();
  await products.factorize();
  if (run > 0) seconds.push((performance.now() - start) / 1000); // the first one compiles
  products.dispose();
}
console.log(
  `SVD of ${MATRICES} LoRA products, 768 x 768, rank 16, on the same threads: ` +
    `${median(seconds).toFixed(2)} s, median of ${seconds.length}`,
);
const resident = process.resourceUsage().maxRSS * 1024;
console.log(`peak memory of the process ${(resident / 1e9).toFixed(1)} GB`);
engine.dispose();
