import { describe, expect, it } from 'vitest';
import {
  behind,
  bertShapes,
  gpt2Shapes,
  header,
  maskedWordHead,
  type Shapes,
  t5Shapes,
  without,
} from './headers.fixture';
import { inBaseNames } from './in-base-names';
import { type GroupPlan, planGroup } from './plan-group';
import { type ModelConfig } from './tied-tensors';

const size = { layers: 2, width: 64, inner: 128, vocabulary: 321 };
const FLAN: ModelConfig = { model_type: 't5', tie_word_embeddings: false };
const plain = t5Shapes(size);
const copied = t5Shapes(size, ['shared', 'encoder', 'decoder', 'head']);
const copies = ['encoder.embed_tokens.weight', 'decoder.embed_tokens.weight'];

function plan(base: Shapes, tasks: readonly Shapes[], config: ModelConfig = null): GroupPlan {
  return planGroup({
    base: header('base', base),
    tasks: tasks.map((shapes, i) => header(`task ${i}`, shapes)),
    configs: [config, ...tasks.map(() => config)],
  });
}

const merged = ({ layout }: GroupPlan): string[] => layout.tensors.map(({ name }) => name);

describe('tied tensors', () => {
  it.each([
    ['nobody has copies', plain, [plain, plain]],
    ['one task has copies', plain, [plain, copied]],
    ['the base has copies', copied, [plain, plain]],
    ['all have copies', copied, [copied, copied]],
  ])('plans the embedding of Flan-T5 once: %s', (_, base, tasks) => {
    const result = plan(base, tasks, FLAN);
    expect(new Set(merged(result))).toEqual(new Set(Object.keys(plain)));
    expect(result.own).toEqual([[], []]);
    expect(result.untouched).toEqual([]);
    const expected = base === copied ? copies.map((name) => [name, 'shared.weight'] as const) : [];
    expect(result.tied).toEqual(new Map(expected));
    expect(result.details.copies).toEqual(
      [base, ...tasks].map((shapes) => (shapes === copied ? copies : [])),
    );
  });

  it('reads the embedding wherever a file has it', () => {
    const encoderOnly = t5Shapes(size, ['encoder', 'head']);
    const result = plan(plain, [encoderOnly], FLAN);
    expect(result.storedNames[1]).toEqual(
      new Map([['shared.weight', 'encoder.embed_tokens.weight']]),
    );
    const task = header('task', encoderOnly);
    expect(inBaseNames(task, result.storedNames[1]!).tensors.has('shared.weight')).toBe(true);
    const reverse = plan(encoderOnly, [plain], FLAN);
    expect(merged(reverse)).toContain('encoder.embed_tokens.weight');
    expect(reverse.storedNames[1]!.get('encoder.embed_tokens.weight')).toBe('shared.weight');
  });

  it('merges the head of Flan-T5 by itself, and not that of a tied T5', () => {
    expect(merged(plan(plain, [plain], FLAN))).toContain('lm_head.weight');
    const tied = plan(plain, [plain], { model_type: 't5' });
    expect(merged(tied)).not.toContain('lm_head.weight');
    expect(tied.tied).toEqual(new Map([['lm_head.weight', 'shared.weight']]));
  });

  it('takes the word of every configuration', () => {
    const group = { base: header('b', plain), tasks: [header('t', plain)] };
    const one = planGroup({ ...group, configs: [{ model_type: 't5' }, FLAN] });
    expect(one.tied.size).toBe(0);
    const nested = { model_type: 'x', text_config: { tie_word_embeddings: true } };
    expect(planGroup({ ...group, configs: [nested, null] }).tied.size).toBe(1);
    expect(planGroup({ ...group, configs: [{ tie_word_embeddings: 'yes' }] }).tied.size).toBe(0);
  });

  it('knows the head of GPT-2, saved or not, across prefixes', () => {
    const whole = { ...behind('transformer.', gpt2Shapes()), 'lm_head.weight': [50257, 768] };
    const config = { model_type: 'gpt2' };
    const result = plan(gpt2Shapes(), [whole, behind('transformer.', gpt2Shapes())], config);
    expect(result.own).toEqual([[], []]);
    expect(result.details.copies).toEqual([[], ['lm_head.weight'], []]);
    expect(merged(result)).toHaveLength(Object.keys(gpt2Shapes()).length);
    // Without a word on it, a head that the base lacks is the task's own.
    expect(plan(gpt2Shapes(), [whole]).own).toEqual([['lm_head.weight']]);
  });

  it('knows BERT’s decoder and both names of its bias', () => {
    const body = behind('bert.', bertShapes({ layers: 1, width: 8, vocabulary: 30 }));
    const whole = { ...body, ...maskedWordHead(30, 8) };
    const decoder = 'cls.predictions.decoder';
    const short = without(whole, `${decoder}.weight`, `${decoder}.bias`);
    const result = plan(whole, [short], { model_type: 'bert' });
    expect(result.tied).toEqual(
      new Map([
        ['cls.predictions.decoder.weight', 'bert.embeddings.word_embeddings.weight'],
        ['cls.predictions.decoder.bias', 'cls.predictions.bias'],
      ]),
    );
    expect(result.untouched).toEqual([]);
    expect(result.own).toEqual([[]]);
  });

  it('ties nothing of another shape', () => {
    const odd = { ...plain, 'lm_head.weight': [99, 64] };
    const result = plan(odd, [odd], { model_type: 't5' });
    expect(result.tied.size).toBe(0);
    expect(merged(result)).toContain('lm_head.weight');
  });

  it('keeps a grown embedding once, and leaves the base’s copies as they are', () => {
    const grown = t5Shapes({ ...size, vocabulary: 330 }, ['shared', 'encoder', 'decoder', 'head']);
    const result = plan(copied, [grown], FLAN);
    expect(result.own).toEqual([['shared.weight', 'lm_head.weight']]);
    expect(result.tied.size).toBe(0);
    expect(result.untouched).toEqual(['shared.weight', ...copies, 'lm_head.weight']);
  });

  it('excludes a tensor by any of its names', () => {
    const group = { base: header('b', copied), tasks: [header('t', plain)], configs: [FLAN] };
    const without = (exclude: string[]) =>
      planGroup({ ...group, patterns: { include: [], exclude } });
    for (const glob of ['shared.weight', 'decoder.embed_tokens.*']) {
      expect(merged(without([glob]))).not.toContain('shared.weight');
      expect(without([glob]).untouched).toEqual(['shared.weight', ...copies]);
    }
    const included = planGroup({
      ...group,
      patterns: { include: ['*embed_tokens*'], exclude: [] },
    });
    expect(merged(included)).toEqual(['shared.weight']);
    expect(included.tied.size).toBe(2);
  });
});
