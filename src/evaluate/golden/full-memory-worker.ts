/** Runs onnxruntime in a memory that is too small, inside a dedicated worker, and posts its errors. */
import { GraphBuilder } from '@/evaluate/onnx/graph-builder';
import { createGraphSession, type GraphSession } from '../runtime/session';
import { errorFacts } from '../../core/errors';

/** Of 64 KiB: 128 MiB, the runtime's own included. */
const PAGES = 2048;
const FLOATS = 2 ** 24;

// A browser that has little memory to give.
WebAssembly.Memory = class extends WebAssembly.Memory {
  constructor({ initial, shared }: WebAssembly.MemoryDescriptor) {
    super({ initial, maximum: PAGES, ...(shared === undefined ? {} : { shared }) });
  }
};

onmessage = () => {
  void fill().then((answers) => {
    postMessage(answers);
  });
};

/** What a run said that fits, one that does not, and the first again. */
async function fill(): Promise<unknown[]> {
  const graph = new GraphBuilder('sum');
  const inputs = ['a', 'b', 'c'].map((name) => graph.input(name, ['n']));
  graph.output('sum', graph.op('Sum', inputs), ['n']);
  const session = await createGraphSession(graph.build(), { kind: 'wasm' });
  const answers: unknown[] = [];
  for (const count of [1, FLOATS, 1]) answers.push(await answerTo(session, count));
  return answers;
}

async function answerTo(session: GraphSession, count: number): Promise<unknown> {
  const data = new Float32Array(count).fill(1);
  const feeds = new Map(['a', 'b', 'c'].map((name) => [name, { shape: [count], data }]));
  try {
    return await session.run(feeds, 'sum');
  } catch (error) {
    return errorFacts(error);
  }
}
