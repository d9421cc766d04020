/** Chooses what scores a group, or says why nothing can. */
import { threadCount } from '@/evaluate/runtime/session';
import { type Provider } from '@/evaluate/runtime/session';
import { type CheckpointSource, type OpenOptions } from '@/formats/checkpoint/checkpoint-source';
import { type ErrorKind, PeruError } from '@/core/errors';
import { type ChosenEngine } from '@/jobs/context/platform';
import { openClipGroup } from './clip-group';
import { type Scoring, unscored } from './group-evaluator';
import { type Test } from './tests';
import { openTextGroup } from './text-group';

/**
 * Readies the evaluator of a group whose tasks bring data sets. Tasks without one, or with one that
 * is out of reach, stay unscored.
 *
 * @param changed names of tensors, as in the base, that the group's models may change
 * @throws PeruError when files the group can not do without are missing or broken; a base that
 *   Peru can not evaluate is no error but a reason
 */
export async function openEvaluator(
  base: CheckpointSource,
  tests: readonly (Test | null)[],
  { engine, device }: ChosenEngine,
  changed: ReadonlySet<string>,
  options: OpenOptions,
): Promise<Scoring> {
  const first = tests.find((test) => test !== null);
  if (first === undefined) {
    return unscored('these checkpoints bring no data set that Peru could score them on');
  }
  // A software adapter computes a transformer about 150 times slower than wasm does.
  const shared = device !== null && !engine.adapter.fallback;
  const provider: Provider = shared ? { kind: 'webgpu', device } : { kind: 'wasm' };
  try {
    const evaluator =
      first.kind === 'text'
        ? await openTextGroup(base, ofKind(tests, 'text'), provider, options)
        : await openClipGroup(base, ofKind(tests, 'image'), provider, changed, options);
    if (evaluator.splits.some((split) => split !== null)) {
      return { evaluator, description: describe(provider), noAccuracyBecause: null };
    }
    evaluator.dispose();
    return unscored(evaluator.unscoredBecause.find((reason) => reason !== null) ?? 'no rows');
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

/** The tests of one kind, in their places. */
function ofKind<Kind extends Test['kind']>(
  tests: readonly (Test | null)[],
  kind: Kind,
): (Extract<Test, { kind: Kind }> | null)[] {
  const isOne = (test: Test): test is Extract<Test, { kind: Kind }> => test.kind === kind;
  return tests.map((test) => (test !== null && isOne(test) ? test : null));
}

function describe(provider: Provider): string {
  if (provider.kind === 'webgpu') return 'onnxruntime on the same GPU';
  const threads = threadCount();
  return `onnxruntime wasm, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}
