/**
 * How the processor engine's time grows with tasks and parameters, in Node: `growth.js [--quick]`.
 * A merge touches each parameter T + 2 times, a task's selection is the same work for each task.
 */
import { availableParallelism } from 'node:os';
import { nodeThreads } from '../src/platform/node/processor-threads';
import { createProcessorEngine } from '../src/processor/engine';
import { linearMerge } from '../src/tensor/merge-plan';
import { selectOne } from '../src/tensor/one-selection.fixture';
import { benchGroup } from './group';
import { median } from './pairs';
import { linesTo } from './record';
import { VIT_B_32 } from './vit-shapes';

const RUNS = 3;
const KEPT_PERCENT = 10;
/** Transformer blocks of ViT-B/32's width: 10, 87 and 300 million parameters; then tasks. */
const CASES = [
  { layers: 1, tasks: 8 },
  { layers: 12, tasks: 8 },
  { layers: 42, tasks: 8 },
  { layers: 12, tasks: 2 },
  { layers: 12, tasks: 20 },
];
const QUICK_CASES = [
  { layers: 1, tasks: 2 },
  { layers: 2, tasks: 2 },
];

const threads = availableParallelism();
const script = new URL('./processor-thread.js', import.meta.url);
const { print, record } = linesTo((line) => {
  console.log(line);
});
for (const one of process.argv.includes('--quick') ? QUICK_CASES : CASES) {
  const { parameters, mergeSeconds, taskSeconds } = await measure(one);
  const mergeNs = (1e9 * mergeSeconds) / (parameters * (one.tasks + 2));
  const taskNs = (1e9 * taskSeconds) / parameters;
  print(
    `${(parameters / 1e6).toFixed(1)} M parameters x ${one.tasks} tasks, ${threads} threads: merge ` +
      `${mergeSeconds.toFixed(3)} s, ${mergeNs.toFixed(3)} ns for each of a parameter's ` +
      `${one.tasks + 2} values; a task ${taskSeconds.toFixed(3)} s, ${taskNs.toFixed(2)} ns a parameter`,
  );
  record('growth', { threads, parameters, tasks: one.tasks, mergeSeconds, taskSeconds });
}

/** Medians: of merges, and of one task's selection with its positions and values. */
async function measure({ layers, tasks }: (typeof CASES)[number]) {
  const engine = createProcessorEngine(nodeThreads(script, threads));
  const { group, layout } = benchGroup(engine, { ...VIT_B_32, num_hidden_layers: layers }, tasks);
  const merges: number[] = [];
  const selections: number[] = [];
  for (let run = -1; run < RUNS; run++) {
    const start = performance.now();
    await group.merge(linearMerge(Array<number>(tasks).fill(1 / tasks)), 'F16');
    const merged = performance.now();
    const task = Math.max(0, run) % tasks;
    const selection = await selectOne(group, 'merged', task, 'global', KEPT_PERCENT);
    let kept = 0;
    for await (const tensor of group.encodeKept(selection, 'F16')) kept += tensor.kept;
    if (kept !== selection.keptPerScope[0]) throw new Error(`${kept} entries were encoded.`);
    selection.dispose();
    if (run < 0) continue; // waits for the uploads, and compiles
    merges.push((merged - start) / 1000);
    selections.push((performance.now() - merged) / 1000);
  }
  group.dispose();
  engine.dispose();
  const parameters = layout.elementCount;
  return { parameters, mergeSeconds: median(merges), taskSeconds: median(selections) };
}
