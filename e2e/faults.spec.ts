import { Buffer } from 'node:buffer';
import { binaryFile, expect, f32Tensor, rawSafetensors, safetensorsFile, test } from './fixtures';
import { type FixtureFile } from './pages/peru-page';

const weights = (scale: number) => ({
  'a.weight': f32Tensor([8, 4], (i) => scale * Math.sin(i)),
  'b.bias': f32Tensor([5], (i) => scale * i),
});
const base = safetensorsFile('base.safetensors', weights(1));
const task = safetensorsFile('task.safetensors', weights(1.5));

/** Everything a visitor can drop that cannot work, and what the alert must name. */
const REFUSED: { readonly what: string; readonly files: FixtureFile[]; readonly says: RegExp }[] = [
  {
    what: 'a file that is no safetensors file',
    files: [base, binaryFile('notes.safetensors', Buffer.from('These are my notes, not weights.'))],
    says: /notes\.safetensors/,
  },
  {
    what: 'a file cut inside the header length',
    files: [base, binaryFile('task.safetensors', task.buffer.subarray(0, 5))],
    says: /task\.safetensors/,
  },
  {
    what: 'a file cut inside the header',
    files: [base, binaryFile('task.safetensors', task.buffer.subarray(0, 40))],
    says: /task\.safetensors/,
  },
  {
    what: 'a file cut inside the data',
    files: [base, binaryFile('task.safetensors', task.buffer.subarray(0, -7))],
    says: /task\.safetensors/,
  },
  {
    what: 'overlapping tensors',
    files: [
      base,
      safetensorsFile('task.safetensors', weights(1), (header) => ({
        ...header,
        'b.bias': { dtype: 'F32', shape: [5], data_offsets: [120, 140] },
      })),
    ],
    says: /task\.safetensors/,
  },
  {
    what: 'a hole between tensors',
    files: [
      base,
      rawSafetensors(
        'task.safetensors',
        '{"a.weight":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b.bias":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}',
        new Uint8Array(16),
      ),
    ],
    says: /task\.safetensors/,
  },
  {
    what: 'duplicate keys',
    files: [
      base,
      rawSafetensors(
        'task.safetensors',
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        new Uint8Array(4),
      ),
    ],
    says: /task\.safetensors.*twice|duplicate/is,
  },
  {
    what: 'a header length beyond any header',
    files: [base, binaryFile('task.safetensors', Buffer.alloc(64, 0xff))],
    says: /task\.safetensors/,
  },
  {
    what: 'a header nested without end',
    files: [base, rawSafetensors('task.safetensors', '{"a":'.repeat(5000), new Uint8Array(0))],
    says: /task\.safetensors/,
  },
  {
    what: 'a fine-tune of another architecture',
    files: [base, safetensorsFile('other.safetensors', { 'x.weight': f32Tensor([3], () => 1) })],
    says: /other/,
  },
  {
    what: 'a model of other shapes',
    files: [
      base,
      safetensorsFile('task.safetensors', {
        ...weights(1),
        'a.weight': f32Tensor([8, 5], () => 1),
      }),
    ],
    says: /a\.weight|shares only/,
  },
  {
    what: 'NaN inside',
    files: [
      base,
      safetensorsFile('task.safetensors', {
        ...weights(1),
        'b.bias': f32Tensor([5], (i) => (i === 3 ? NaN : i)),
      }),
    ],
    says: /b\.bias/,
  },
  { what: 'a lone model', files: [base], says: /base\.safetensors|fine-tune/ },
  {
    what: 'a pickle',
    files: [base, binaryFile('pytorch_model.bin', Buffer.from([0x80, 2]))],
    says: /pytorch_model\.bin/,
  },
  {
    what: 'an empty file',
    files: [base, binaryFile('task.safetensors', Buffer.alloc(0))],
    says: /task\.safetensors/,
  },
];

for (const { what, files, says } of REFUSED) {
  test(`refuses ${what} with a clear alert`, async ({ peru }) => {
    await peru.open();
    await peru.addFiles(files);
    await expect(peru.alert).toContainText(says);
    await expect(peru.page.getByRole('progressbar')).toHaveCount(0);
  });
}

test('warns of a tensor of another shape, and starts when told to', async ({ peru }) => {
  await peru.open();
  const odd = { ...weights(1.5), 'b.bias': f32Tensor([6], () => 1) };
  await peru.addFiles([base, safetensorsFile('task.safetensors', odd)]);
  await expect(peru.status).toHaveText('Ready to start');
  const warnings = peru.page.getByRole('list', { name: 'To look at' });
  await expect(warnings).toContainText(/task/);
  await warnings.getByRole('group').first().click();
  await expect(warnings).toContainText('b.bias');
  await peru.start();
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
});

test('merges and prunes dropped checkpoints that fit, and says why there is no accuracy', async ({
  peru,
}) => {
  await peru.open();
  const withEmpty = (scale: number) => ({
    ...weights(scale),
    'c.empty': f32Tensor([0, 4], () => 0),
  });
  await peru.addFiles([
    safetensorsFile('base.safetensors', withEmpty(1)),
    safetensorsFile('task-a.safetensors', withEmpty(1.5)),
    safetensorsFile('task-b.safetensors', withEmpty(0.5)),
  ]);
  await peru.waitDone();
  await expect(peru.page.getByText(/no accuracy/i).first()).toBeVisible();
  await expect(peru.storageTable).toContainText('PERU-FFT');
  const results = await peru.results();
  expect(results.storage.map(({ method }) => method)).toContain('peru-fft@10');
  await expect(peru.alert).toHaveCount(0);
});

test('comes back from an error by the demo', async ({ peru }) => {
  await peru.open();
  await peru.addFiles([base]);
  await expect(peru.alert).toBeVisible();
  await peru.page.getByRole('button', { name: 'Demo: full fine-tunes' }).first().click();
  await expect(peru.alert).toHaveCount(0);
  await expect(peru.accuracyTable).toBeVisible();
});

test('asks which checkpoint is the base where names do not tell', async ({ peru, page }) => {
  await peru.open();
  await peru.addFiles([
    safetensorsFile('one.safetensors', weights(1)),
    safetensorsFile('two.safetensors', weights(2)),
  ]);
  await page.getByRole('button', { name: 'Use two as base' }).click();
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  const results = await peru.results();
  const pretrained = results.storage.find(({ method }) => method === 'pretrained');
  expect(pretrained?.files[0]?.name).toBe('two.safetensors');
});

test('goes on with NaN inside only when told to, and claims no energy for it', async ({
  peru,
  page,
}) => {
  await peru.open();
  const broken = { ...weights(2), 'b.bias': f32Tensor([5], (i) => (i === 3 ? NaN : i)) };
  await peru.addFiles([base, safetensorsFile('broken.safetensors', broken)]);
  await page.getByRole('button', { name: /go on/i }).click();
  await peru.waitDone();
  await expect(page.getByText(/not defined/i).first()).toBeVisible();
});
