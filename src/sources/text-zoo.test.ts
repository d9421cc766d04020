import { describe, expect, it } from 'vitest';
import { openTextZoo } from './text-zoo';

const TASK = {
  name: 'sentiment',
  title: 'Sentiment',
  adapter: 'adapters/sentiment',
  dataset: 'datasets/sentiment',
  prompt: 'Is "{sentence}" good or bad?',
  answers: ['bad', 'good'],
  metric: 'accuracy',
};
const MANIFEST = { demo: 'lora', lambda: 0.1, base: 'models/t5', maxNewTokens: 9, tasks: [TASK] };

function open(manifest: unknown) {
  const asked: string[] = [];
  const fetch = (url: URL | string | Request): Promise<Response> => {
    asked.push(new URL(url instanceof Request ? url.url : url).pathname);
    return Promise.resolve(new Response(JSON.stringify(manifest)));
  };
  return { asked, zoo: openTextZoo({ baseUrl: 'http://localhost/zoo/text/', fetch }) };
}

describe('the zoo of adapters', () => {
  it('names the base, and an adapter, rows and a question for each task, with one request', async () => {
    const { asked, zoo } = open(MANIFEST);
    const { base, tasks, lambda, maxNewTokens } = await zoo;
    expect(asked).toEqual(['/zoo/text/manifest.json']);
    expect([base.id, lambda, maxNewTokens]).toEqual(['models/t5', 0.1, 9]);
    expect(tasks[0]).toMatchObject({ prompt: TASK.prompt, answers: TASK.answers });
    await tasks[0]!.adapter.open('adapter_config.json');
    expect(asked[1]).toBe('/zoo/text/adapters/sentiment/adapter_config.json');
  });

  it.each([
    ['no limit of tokens', { ...MANIFEST, maxNewTokens: 0 }, /maxNewTokens/],
    ['a metric nobody knows', { ...MANIFEST, tasks: [{ ...TASK, metric: 'f1' }] }, /no metric/],
    ['no answers', { ...MANIFEST, tasks: [{ ...TASK, answers: null }] }, /answers of tasks\[0\]/],
    ['answers to a number', { ...MANIFEST, tasks: [{ ...TASK, metric: 'spearman' }] }, /answers/],
    ['no prompt', { ...MANIFEST, tasks: [{ ...TASK, prompt: 3 }] }, /no prompt/],
    ['a folder above the zoo', { ...MANIFEST, tasks: [{ ...TASK, adapter: '../x' }] }, /adapter/],
    ['no tasks', { ...MANIFEST, tasks: [] }, /tasks/],
  ])('refuses a manifest with %s', async (_, manifest, message) => {
    await expect(open(manifest).zoo).rejects.toMatchObject({
      kind: 'parse',
      message: expect.stringMatching(message) as string,
    });
  });
});
