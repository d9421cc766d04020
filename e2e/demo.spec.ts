import { expect, test } from './fixtures';
import { expectTorchScores, TORCH_ROWS } from './torch-tables';

for (const { zoo, title } of TORCH_ROWS) {
  test.describe(title, () => {
    test.use({ zoo });

    test('opens the demo by itself and agrees with torch to one image', async ({ peru }) => {
      await peru.open();
      await peru.waitDone();
      const results = await peru.results();

      // Every machine that runs this has a software adapter at most.
      expect(results.engine).toBe('processor');
      expectTorchScores('fft', results, zoo);
      expect(peru.faults).toEqual([]);
      expect([...peru.requestedOrigins]).toEqual([new URL(peru.page.url()).origin]);
    });
  });
}

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
