import { readFileSync } from 'node:fs';
import { expect, test } from './fixtures';

interface TorchTable {
  readonly lambda: number;
  readonly tasks: readonly {
    readonly name: string;
    readonly n: number;
    readonly scores: Readonly<Record<string, { readonly correct: number }>>;
  }[];
}

/** What torch and transformers measured on the same files, written by scripts/zoo. */
const torch = JSON.parse(
  readFileSync(new URL('../scripts/zoo/golden/torch-table.json', import.meta.url), 'utf8'),
) as TorchTable;

test('opens the demo by itself and agrees with torch to one image', async ({ peru }) => {
  await peru.open();
  await peru.waitDone();
  const results = await peru.results();

  expect(results.tasks.map(({ name }) => name)).toEqual(torch.tasks.map(({ name }) => name));
  for (const [index, { name, n, metric, scores }] of results.tasks.entries()) {
    const golden = torch.tasks[index]!;
    expect(metric).toBe('accuracy');
    expect(n).toBe(golden.n);
    for (const method of METHODS) {
      const ours = Math.round(scores[method]! * n);
      const { correct } = golden.scores[torchMethod(method)]!;
      const what = `${name}, ${method}: ${ours} of ${n} right, ${correct} by torch`;
      expect(Math.abs(ours - correct), what).toBeLessThanOrEqual(1);
    }
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

const METHODS = [
  'pretrained',
  'finetuned',
  'merged',
  ...[1, 5, 10].flatMap((m) => [`post-pruning@${m}`, `peru-fft@${m}`]),
];

/** torch's table names the merged model by its merger; the page has one merged column. */
function torchMethod(method: string): string {
  return method === 'merged' ? `merged:task-arithmetic@${torch.lambda}` : method;
}
