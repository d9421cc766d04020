/** A group of T5s on the embedded text zoo, opened as a job does: answers are those of transformers. */
import { expect, it } from 'vitest';
import generatedEntailmentUrl from '../../../scripts/zoo/golden/text/generated-entailment.json?url';
import generatedSimilarityUrl from '../../../scripts/zoo/golden/text/generated-similarity.json?url';
import { fetchBytes } from '@/evaluate/golden/providers';
import { readAdapted, readTextRows, readTextZoo } from '@/evaluate/golden/zoo-text';
import { scoreAnswers } from '@/evaluate/t5/text-task';
import { inlineThreads } from '@/processor/crew/threads';
import { createProcessorEngine } from '@/processor/engine';
import { openTextZoo } from '@/sources/text-zoo';
import { openEvaluator } from './open-evaluator';
import { repoTexts } from './repo-tests';

const ROWS = 40;
const TASKS = [
  { name: 'entailment', url: generatedEntailmentUrl },
  { name: 'similarity', url: generatedSimilarityUrl },
];

async function transformersAnswers(url: string): Promise<string[]> {
  const text = new TextDecoder().decode(await fetchBytes(url));
  return (JSON.parse(text) as { readonly finetuned: string }[]).map(({ finetuned }) => finetuned);
}

it('scores each task by its own metric, on its own rows', async () => {
  const { base, tasks, maxNewTokens } = await openTextZoo({
    baseUrl: new URL('/zoo/text/', location.href),
  });
  const tests = TASKS.map(({ name }) => {
    const { dataset, ...asked } = tasks.find((task) => task.name === name)!;
    return repoTexts(dataset, { ...asked, maxNewTokens });
  });
  const engine = { engine: createProcessorEngine(inlineThreads(1)), device: null };
  const { scorer, noAccuracyBecause } = await openEvaluator(
    base,
    tests,
    engine,
    { changed: new Set(), lanes: null },
    {},
  );
  expect(noAccuracyBecause).toBeNull();
  expect(scorer!.splits.map((split) => [split?.rowKind, split?.classCount, split?.metric])).toEqual(
    [
      ['text', 3, 'accuracy'],
      ['text', null, 'spearman'],
    ],
  );
  const { signal } = new AbortController();
  const zoo = await readTextZoo();
  for (const [i, { name, url }] of TASKS.entries()) {
    const task = zoo.tasks.find((one) => one.name === name)!;
    const weights = { tensors: await readAdapted(zoo, task), dispose: () => undefined };
    const outcome = await scorer!.score(i, weights, { from: 0, to: ROWS, signal });
    const labels = (await readTextRows(task)).slice(0, ROWS).map(({ label }) => label);
    const answers = (await transformersAnswers(url)).slice(0, ROWS);
    expect(outcome).toEqual(scoreAnswers(answers, labels, task));
  }
  scorer!.dispose();
});
