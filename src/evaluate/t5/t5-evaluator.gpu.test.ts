import { beforeAll, describe, expect, it } from 'vitest';
import { openProvider } from '@/evaluate/golden/providers';
import { goldenWeights, type ProvidedWeights } from '@/evaluate/golden/t5';
import { openEvaluator, testPromptedAnswers } from '@/evaluate/golden/t5-evaluator-suite';
import { startLanes } from '@/platform/browser/lane-threads';
import { type BaseTensor } from '@/evaluate/runtime/base-weights';
import { type Provider } from '@/evaluate/runtime/graph-session';
import { Lanes } from '@/evaluate/runtime/lanes';
import { type T5Evaluator } from './t5-evaluator';
import { type T5Weights } from './t5-runner';

testPromptedAnswers('wasm');

/** The model with one of its weights the other way round. */
function negated({ tensors }: T5Weights, name: string): T5Weights {
  const { shape, data } = tensors.get(name)! as BaseTensor;
  return { tensors: new Map(tensors).set(name, { shape, data: data.map((value) => -value) }) };
}

describe('T5Evaluator', () => {
  let evaluator: T5Evaluator;
  let weights: ProvidedWeights;
  const inputs = [Int32Array.of(5, 1), Int32Array.of(7, 8, 1)];
  const request = () => ({ weights, inputs, maxNewTokens: 4 });

  beforeAll(async () => {
    const provider = await openProvider('wasm');
    evaluator = await openEvaluator(provider);
    weights = await goldenWeights('gated', provider);
    return () => {
      evaluator.dispose();
    };
  });

  it('takes other weights without a rebuild', async () => {
    const before = await evaluator.firstLogits({ weights, inputs });
    const other = negated(weights, 'encoder.block.1.layer.0.SelfAttention.v.weight');
    const after = await evaluator.firstLogits({ weights: other, inputs });
    expect(after).not.toEqual(before);
    expect(await evaluator.firstLogits({ weights, inputs })).toEqual(before);
  });

  it('encodes prompts once where models share their encoder, however many threads there are', async () => {
    const decoders = new Set(
      [...weights.tensors.keys()].filter((key) => key.startsWith('decoder.')),
    );
    const withDecoder = negated(weights, 'decoder.block.1.layer.1.EncDecAttention.v.weight');
    const withEncoder = negated(weights, 'encoder.block.1.layer.0.SelfAttention.v.weight');
    const expected = await evaluator.firstLogits({ weights: withDecoder, inputs });
    for (const lanes of [null, new Lanes(2, startLanes)]) {
      const provider: Provider = { kind: 'wasm', ...(lanes && { lanes }) };
      const other = await openEvaluator(provider, decoders);
      await other.firstLogits({ weights, inputs });
      expect(await other.firstLogits({ weights: withDecoder, inputs })).toEqual(expected);
      // Against what was promised: an encoder of its own is not seen, since none runs.
      const again = await other.firstLogits({ weights: withEncoder, inputs });
      expect(again).toEqual(await evaluator.firstLogits({ weights, inputs }));
      other.dispose();
      lanes?.dispose();
    }
  });

  it('gives nothing for nothing, and for a limit of no tokens', async () => {
    expect(await evaluator.generate({ ...request(), inputs: [] })).toEqual([]);
    expect(await evaluator.generate({ ...request(), maxNewTokens: 0 })).toEqual(['', '']);
  });

  it('hears an abort between runs, and works on after it', async () => {
    const controller = new AbortController();
    const running = evaluator.generate({ ...request(), signal: controller.signal });
    setTimeout(() => {
      controller.abort();
    }, 0);
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect(await evaluator.generate(request())).toHaveLength(2);
  });

  it('names a weight that is missing or of another shape', async () => {
    const name = 'decoder.block.2.layer.1.EncDecAttention.k.weight';
    const tensors = new Map(weights.tensors);
    tensors.set(name, { shape: [2, 2], data: new Float32Array(4) });
    const wrong = { ...request(), weights: { tensors } };
    await expect(evaluator.generate(wrong)).rejects.toMatchObject({
      kind: 'mismatch',
      message: expect.stringContaining(`${name} has shape [2, 2]`) as string,
    });
    tensors.delete(name);
    await expect(evaluator.generate(wrong)).rejects.toMatchObject({
      kind: 'mismatch',
      message: expect.stringContaining(`${name} is missing`) as string,
    });
  });

  it('refuses work once it is disposed, also work that has begun', async () => {
    const other = await openEvaluator(await openProvider('wasm'));
    await other.warmUp();
    const running = other.generate(request());
    other.dispose();
    await expect(running).rejects.toMatchObject({ kind: 'internal' });
    await expect(other.generate(request())).rejects.toMatchObject({ kind: 'internal' });
  });
});
