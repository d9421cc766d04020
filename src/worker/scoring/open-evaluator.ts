/** Chooses what scores a group, or says why nothing can. */
import { threadCount } from '@/evaluate/session';
import { type Provider } from '@/evaluate/session';
import { type CheckpointSource, type OpenOptions } from '@/sources/checkpoint-source';
import { PeruError } from '@/tensor/errors';
import { type ChosenEngine } from '@/worker/choose-engine';
import { type ImageTest, type Test, type TextTest } from '@/worker/group-sources';
import { openClipGroup } from './clip-group';
import { type Scoring, unscored } from './group-evaluator';
import { openTextGroup } from './text-group';

/**
 * Readies the evaluator of a group whose tasks bring data sets.
 *
 * @throws PeruError when files the group names are missing or broken; a base that Peru can not
 *   evaluate is no error but a reason
 */
export async function openEvaluator(
  base: CheckpointSource,
  tests: readonly (Test | null)[],
  { engine, device }: ChosenEngine,
  options: OpenOptions,
): Promise<Scoring> {
  const images = tests.filter((test): test is ImageTest => test?.kind === 'image');
  const texts = tests.filter((test): test is TextTest => test?.kind === 'text');
  if (images.length !== tests.length && texts.length !== tests.length) {
    return unscored('these checkpoints bring no data set that Peru could score them on');
  }
  // A software adapter computes a transformer about 150 times slower than wasm does.
  const shared = device !== null && !engine.adapter.fallback;
  const provider: Provider = shared ? { kind: 'webgpu', device } : { kind: 'wasm' };
  try {
    const evaluator =
      texts.length > 0
        ? await openTextGroup(base, texts, provider, options)
        : await openClipGroup(base, images, provider, options);
    return { evaluator, description: describe(provider), noAccuracyBecause: null };
  } catch (error) {
    if (error instanceof PeruError && error.kind === 'unsupported') return unscored(error.message);
    throw error;
  }
}

function describe(provider: Provider): string {
  if (provider.kind === 'webgpu') return 'onnxruntime on the same GPU';
  const threads = threadCount();
  return `onnxruntime wasm, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}
