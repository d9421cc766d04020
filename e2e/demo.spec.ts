import { readFileSync } from 'node:fs';
import { expect, test } from './fixtures';

interface TorchTable {
  readonly lambda: number;
  readonly tasks: Readonly<
    Record<string, Readonly<Record<string, { correct: number; n: number }>>>
  >;
}

/** What torch and transformers measured on the same files, written by scripts/zoo. */
const torch = JSON.parse(
  readFileSync(new URL('../scripts/zoo/golden/torch-table.json', import.meta.url), 'utf8'),
) as TorchTable;

test('opens the demo by itself and agrees with torch to one image', async ({ peru }) => {
  await peru.open();
  await peru.waitDone();
  const results = await peru.results();

  expect(results.tasks.map(({ name }) => name)).toEqual(Object.keys(torch.tasks));
  for (const { name, n, metric, scores } of results.tasks) {
    expect(metric).toBe('accuracy');
    for (const [method, golden] of Object.entries(torch.tasks[name] ?? {})) {
      const ours = scores[pageMethod(method)];
      if (ours === undefined) continue;
      expect(n, name).toBe(golden.n);
      const difference = Math.abs(Math.round(ours * n) - golden.correct);
      expect(
        difference,
        `${name}, ${method}: ${ours * n} of ${n}, torch ${golden.correct}`,
      ).toBeLessThanOrEqual(1);
    }
    for (const method of REQUIRED_METHODS)
      expect(scores[method], `${name} ${method}`).toBeDefined();
  }
  expect(peru.faults).toEqual([]);
  expect([...peru.requestedOrigins]).toEqual([new URL(peru.page.url()).origin]);
});

test('shows in the table what the results file says', async ({ peru }) => {
  await peru.open('?demo=fft&m=5');
  await peru.waitDone();
  const results = await peru.results();
  const task = results.tasks[0]!;
  const columns: [RegExp, string][] = [
    [/Pretrained/, 'pretrained'],
    [/Fine-tuned/, 'finetuned'],
    [/Merged/, 'merged'],
    [/Post-Pruning/, 'post-pruning@5'],
    [/PERU-FFT/, 'peru-fft@5'],
  ];
  for (const [column, method] of columns) {
    const average = await peru.percent('Average', column);
    expect(average).toBeCloseTo(100 * results.average[method]!, 0);
  }
  expect(task.scores['peru-fft@5']).toBeDefined();
  await expect(peru.storageTable.getByRole('row')).not.toHaveCount(0);
});

const REQUIRED_METHODS = [
  'pretrained',
  'finetuned',
  'merged',
  ...[1, 5, 10].flatMap((m) => [`post-pruning@${m}`, `peru-fft@${m}`]),
];

/** torch's table names the merged model by its merger; the page has one merged column. */
function pageMethod(method: string): string {
  return method === `merged:task-arithmetic@${torch.lambda}` ? 'merged' : method;
}
