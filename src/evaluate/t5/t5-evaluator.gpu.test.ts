import { beforeAll, describe, expect, it } from 'vitest';
import { openProvider } from '@/evaluate/golden/providers';
import { goldenWeights, type ProvidedWeights } from '@/evaluate/golden/t5';
import { openEvaluator, testPromptedAnswers } from '@/evaluate/golden/t5-evaluator-suite';
import { type T5Evaluator } from './t5-evaluator';

testPromptedAnswers('wasm');

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
    const tensors = new Map(weights.tensors);
    const name = 'encoder.block.1.layer.0.SelfAttention.v.weight';
    const { shape, data } = tensors.get(name)!;
    tensors.set(name, { shape, data: data.map((value) => -value) });
    const after = await evaluator.firstLogits({ weights: { tensors }, inputs });
    expect(after).not.toEqual(before);
    expect(await evaluator.firstLogits({ weights, inputs })).toEqual(before);
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
