/** The bench in a page: prints into the page, where anyone may read it. */
import { errorFacts } from '../src/core/errors';
import { linesTo } from './record';
import { runBench } from './run';

const log = document.querySelector('pre')!;
const status = document.querySelector('p')!;

try {
  await runBench({
    quick: new URLSearchParams(location.search).has('quick'),
    host: 'browser',
    ...linesTo((line) => {
      log.textContent += `${line}\n`;
    }),
  });
  status.textContent = 'Done';
} catch (error) {
  status.textContent = `Failed: ${errorFacts(error).message}`;
}
