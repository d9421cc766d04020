/** Opens what scores a group, or says why nothing can. */
import { asObject } from '@/evaluate/runtime/config-json';
import { type Provider } from '@/evaluate/runtime/graph-session';
import { type Lanes } from '@/evaluate/runtime/lanes';
import { threadCount } from '@/evaluate/runtime/session';
import { type CheckpointSource, type OpenOptions } from '@/formats/checkpoint/checkpoint-source';
import { type ErrorKind, PeruError } from '@/core/errors';
import { type ChosenEngine } from '@/jobs/context/platform';
import {
  type ModelParts,
  type OpenScorer,
  type Protocol,
  PROTOCOLS,
  type ProtocolTests,
} from './evaluator-family';
import { evaluatorFor } from './families';
import { type GroupScorer, type Scoring, unscored } from './group-scorer';
import { readRepoJson } from './repo-json';
import { type Test } from './tests';

interface ScoredBy {
  /** Names of tensors, as in the base, that the group's models may change. */
  readonly changed: ReadonlySet<string>;
  /** Threads that score, which end with the scorer; null where this one does. */
  readonly lanes: Lanes | null;
}

/**
 * Readies the evaluator of a group whose tasks bring data sets: the family is chosen by the base's
 * config.json, the protocol by what the rows are. Tasks without a data set, or with one that is out
 * of reach, stay unscored.
 *
 * @throws PeruError when files the group can not do without are missing or broken; a base that
 *   Peru can not evaluate is no error but a reason
 */
export async function openEvaluator(
  base: CheckpointSource,
  tests: readonly (Test | null)[],
  { engine, device }: ChosenEngine,
  { changed, lanes }: ScoredBy,
  options: OpenOptions,
): Promise<Scoring> {
  const first = tests.find((test) => test !== null);
  if (first === undefined) {
    return unscored('these checkpoints bring no data set that Peru could score them on');
  }
  // A software adapter computes a transformer about 150 times slower than wasm does.
  const shared = device !== null && !engine.adapter.fallback;
  const provider: Provider = shared ? { kind: 'webgpu', device } : onProcessor(lanes);
  try {
    const config = asObject(await readRepoJson(base, 'config.json', options), 'the file');
    const { family, protocol } = evaluatorFor(config, first.kind);
    const parts = { base, config, provider, changed, options };
    const scorer = await openScorer(family.opens, protocol, tests, parts);
    if (scorer.splits.some((split) => split !== null)) {
      return { scorer, description: describe(provider), noAccuracyBecause: null };
    }
    scorer.dispose();
    return unscored(scorer.unscoredBecause.find((reason) => reason !== null) ?? 'no rows');
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof PeruError)) throw error;
    const mayMiss = first.optional === true && MERGES_WITHOUT.includes(error.kind);
    if (error.kind === 'unsupported' || mayMiss) return unscored(error.message);
    throw error;
  }
}

/** What is wrong with the files that only scoring needs. */
const MERGES_WITHOUT: readonly ErrorKind[] = ['source', 'parse', 'mismatch'];

async function openScorer<P extends Protocol>(
  opens: { readonly [Q in P]?: OpenScorer<Q> },
  protocol: P,
  tests: readonly (Test | null)[],
  parts: ModelParts,
): Promise<GroupScorer> {
  const open = opens[protocol];
  if (open === undefined) throw new Error(`A family was chosen that has no "${protocol}".`);
  return open(testsOf(protocol, tests), parts);
}

/** The tests that a protocol takes, in their places. */
function testsOf<P extends Protocol>(
  protocol: P,
  tests: readonly (Test | null)[],
): (ProtocolTests[P] | null)[] {
  const isOne = (test: Test): test is ProtocolTests[P] => test.kind === PROTOCOLS[protocol].rowKind;
  return tests.map((test) => (test !== null && isOne(test) ? test : null));
}

function onProcessor(lanes: Lanes | null): Provider {
  return lanes === null ? { kind: 'wasm' } : { kind: 'wasm', lanes };
}

function describe(provider: Provider): string {
  if (provider.kind === 'webgpu') return 'onnxruntime on the same GPU';
  if (provider.lanes !== undefined) return `onnxruntime wasm, ${provider.lanes.count} side by side`;
  const threads = threadCount();
  return `onnxruntime wasm, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}
