/** A tiny T5 against transformers through the evaluator, for either provider. */
import { describe, expect, it } from 'vitest';
import { type Provider } from '../runtime/session';
import { createT5Evaluator, type T5Evaluator } from '../t5/t5-evaluator';
import { openProvider } from './providers';
import { goldenJson, goldenWeights } from './t5';

interface Prompted {
  readonly limit: number;
  readonly cases: { readonly text: string; readonly answer: string }[];
}

export async function openEvaluator(
  provider: Provider,
  changed?: ReadonlySet<string>,
): Promise<T5Evaluator> {
  return createT5Evaluator({
    config: await goldenJson('gated/config.json'),
    tokenizer: await goldenJson<object>('tokenizer/tokenizer.json'),
    tokenizerConfig: await goldenJson<object>('tokenizer/tokenizer_config.json'),
    provider,
    ...(changed && { changed }),
  });
}

export function testPromptedAnswers(kind: Provider['kind']): void {
  describe(`T5Evaluator on ${kind}`, () => {
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
}
