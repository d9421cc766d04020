/** The T5 evaluator with onnxruntime's webgpu provider, and where its device goes. */
import { describe, expect, it } from 'vitest';
import { goldenWeights } from '@/evaluate/golden/t5';
import { openEvaluator, testPromptedAnswers } from '@/evaluate/golden/t5-evaluator-suite';
import { type Provider } from '@/evaluate/runtime/session';

testPromptedAnswers('webgpu');

describe('a T5 evaluator on a lost device', () => {
  it('fails by name, and leaves a new device to work', async () => {
    const open = async (): Promise<Provider & { kind: 'webgpu' }> => ({
      kind: 'webgpu',
      device: await (await navigator.gpu.requestAdapter())!.requestDevice(),
    });
    const provider = await open();
    const evaluator = await openEvaluator(provider);
    const weights = await goldenWeights('gated', provider);
    const inputs = [Int32Array.of(5, 1)];
    // Several batches, so that it is still at work when the device goes.
    const many = new Array<Int32Array>(300).fill(inputs[0]!);
    const running = evaluator.generate({ weights, inputs: many, maxNewTokens: 500 });
    const lost = expect(running).rejects.toMatchObject({ kind: 'device-lost' });
    await evaluator.firstLogits({ weights, inputs });
    provider.device.destroy();
    await lost;
    evaluator.dispose();
    const fresh = await open();
    const second = await openEvaluator(fresh);
    const again = await goldenWeights('gated', fresh);
    expect(await second.generate({ weights: again, inputs, maxNewTokens: 1 })).toHaveLength(1);
    second.dispose();
  });
});
