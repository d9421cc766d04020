import { beforeAll, describe, expect, it } from 'vitest';
import { openProvider, PROVIDER_KINDS } from './golden/providers';
import { goldenJson, goldenWeights, type ProvidedWeights } from './golden/t5';
import { type Provider } from './session';
import { createT5Evaluator, type T5Evaluator } from './t5-evaluator';

interface Prompted {
  readonly limit: number;
  readonly cases: { readonly text: string; readonly answer: string }[];
}

async function openEvaluator(provider: Provider): Promise<T5Evaluator> {
  return createT5Evaluator({
    config: await goldenJson('gated/config.json'),
    tokenizer: await goldenJson<object>('tokenizer/tokenizer.json'),
    tokenizerConfig: await goldenJson<object>('tokenizer/tokenizer_config.json'),
    provider,
  });
}

describe.each(PROVIDER_KINDS)('T5Evaluator on %s', (kind) => {
  it("answers prompts with transformers' strings, batched or one by one", async () => {
    const provider = await openProvider(kind);
    const evaluator = await openEvaluator(provider);
    const weights = await goldenWeights('gated', provider);
    const { limit, cases } = await goldenJson<Prompted>('gated/prompted.json');
    const inputs = evaluator.tokenize(cases.map(({ text }) => text));
    const answers = await evaluator.generate({ weights, inputs, maxNewTokens: limit });
    expect(answers).toEqual(cases.map(({ answer }) => answer));
    const alone = { weights, inputs: inputs.slice(3, 4), maxNewTokens: limit };
    expect(await evaluator.generate(alone)).toEqual(answers.slice(3, 4));
    evaluator.dispose();
    weights.dispose();
  });
});

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
