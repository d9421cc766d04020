import { Buffer } from 'node:buffer';
import { binaryFile, expect, f32Tensor, safetensorsFile, test } from './fixtures';
import { type FixtureFile } from './pages/peru-page';

type Tensors = Parameters<typeof safetensorsFile>[1];

const MODULES = ['block.0.attn.q', 'block.0.attn.v'];
const [ROWS, COLUMNS, RANK] = [6, 4, 2];
const wave = (scale: number) => (index: number) => scale * Math.sin(1 + index);

const base = safetensorsFile('base/model.safetensors', {
  ...Object.fromEntries(
    MODULES.map((name) => [`${name}.weight`, f32Tensor([ROWS, COLUMNS], wave(1))]),
  ),
  'head.weight': f32Tensor([3, COLUMNS], wave(0.5)),
});

/** lora_A and lora_B of every module, as PEFT names them. */
function factors(rank = RANK, modules = MODULES, rows = ROWS): Tensors {
  return Object.fromEntries(
    modules.flatMap((name) => [
      [`base_model.model.${name}.lora_A.weight`, f32Tensor([rank, COLUMNS], wave(0.2))],
      [`base_model.model.${name}.lora_B.weight`, f32Tensor([rows, rank], wave(0.3))],
    ]),
  );
}

function config(folder: string, change: Record<string, unknown> = {}): FixtureFile {
  const values = {
    peft_type: 'LORA',
    base_model_name_or_path: 'base',
    r: RANK,
    lora_alpha: 2 * RANK,
    target_modules: ['q', 'v'],
    bias: 'none',
    fan_in_fan_out: false,
    ...change,
  };
  return binaryFile(`${folder}/adapter_config.json`, Buffer.from(JSON.stringify(values)));
}

function weights(folder: string, tensors = factors()): FixtureFile {
  return safetensorsFile(`${folder}/adapter_model.safetensors`, tensors);
}

function adapter(folder: string, tensors = factors()): FixtureFile[] {
  return [config(folder), weights(folder, tensors)];
}

const WITHOUT_B = Object.fromEntries(
  Object.entries(factors()).filter(([name]) => !name.includes('attn.v.lora_B')),
);
const NAN_INSIDE = {
  ...factors(),
  'base_model.model.block.0.attn.q.lora_A.weight': f32Tensor([RANK, COLUMNS], (i) =>
    i === 3 ? NaN : i,
  ),
};
const ZERO_B = Object.fromEntries(
  Object.entries(factors()).map(([name, tensor]) => [
    name,
    name.includes('lora_B') ? f32Tensor(tensor.shape, () => 0) : tensor,
  ]),
);

/** Everything a visitor can add in the way of adapters that cannot work, and what the alert names. */
const REFUSED: { readonly what: string; readonly files: FixtureFile[]; readonly says: RegExp }[] = [
  {
    what: 'an adapter for another base',
    files: [
      base,
      config('other', { target_modules: ['up', 'down'] }),
      weights('other', factors(RANK, ['layers.7.mlp.up', 'layers.7.mlp.down'])),
    ],
    says: /other.*another base/i,
  },
  {
    what: 'an adapter that lacks a lora_B',
    files: [base, ...adapter('half', WITHOUT_B)],
    says: /half.*lora_B.*attn\.v/i,
  },
  {
    what: 'factors that do not fit the weight',
    files: [base, ...adapter('wide', factors(RANK, MODULES, ROWS + 1))],
    says: /attn\.q.*wide.*fit/i,
  },
  {
    what: 'a rank that is not the one of the configuration',
    files: [base, ...adapter('thin', factors(RANK - 1))],
    says: /thin.*rank/i,
  },
  {
    what: 'an adapter with NaN inside',
    files: [base, ...adapter('broken', NAN_INSIDE)],
    says: /broken.*NaN/i,
  },
  {
    what: 'an adapter whose every lora_B is 0',
    files: [base, ...adapter('untrained', ZERO_B)],
    says: /untrained.*changes nothing/i,
  },
  {
    what: 'a configuration without weights',
    files: [base, ...adapter('whole'), config('empty')],
    says: /no adapter_model\.safetensors.*empty/i,
  },
  {
    what: 'weights without a configuration',
    files: [base, ...adapter('whole'), weights('bare')],
    says: /bare.*adapter_config\.json/i,
  },
  {
    what: 'a pickled adapter, with how to convert it',
    files: [
      base,
      config('pickled'),
      binaryFile('pickled/adapter_model.bin', Buffer.from([0x80, 2])),
    ],
    says: /pickled\/adapter_model\.bin.*(convert|safetensors)/is,
  },
  {
    what: 'another kind of adapter',
    files: [base, config('ia3', { peft_type: 'IA3' }), weights('ia3')],
    says: /ia3.*IA3/,
  },
  {
    what: 'a DoRA adapter',
    files: [base, config('dora', { use_dora: true }), weights('dora')],
    says: /dora.*DoRA/,
  },
  {
    what: 'a configuration that is no JSON',
    files: [
      base,
      binaryFile('torn/adapter_config.json', Buffer.from('{"peft_type": "LORA", ')),
      weights('torn'),
    ],
    says: /torn\/adapter_config\.json/,
  },
];

for (const { what, files, says } of REFUSED) {
  test(`refuses ${what} with a clear alert`, async ({ peru }) => {
    await peru.open();
    await peru.addFolder(files);
    await expect(peru.alert).toContainText(says);
    await expect(peru.page.getByRole('progressbar')).toHaveCount(0);
  });
}

test('makes adapters smaller without their base', async ({ peru, page }) => {
  await peru.open();
  await peru.addFolder([...adapter('one'), ...adapter('two')]);
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  const table = page.getByRole('table', { name: 'LoRA files' });
  await expect(table.getByRole('row')).toHaveCount(3);
  await expect(table).toContainText('PEFT, diffusers');
});

test('goes on with NaN in an adapter only when told to', async ({ peru, page }) => {
  await peru.open();
  await peru.addFolder([base, ...adapter('broken', NAN_INSIDE)]);
  await page.getByRole('button', { name: /go on/i }).click();
  await peru.waitDone();
  await expect(page.getByText(/not defined/i).first()).toBeVisible();
});

test('compresses added adapters of different ranks, and says why there is no accuracy', async ({
  peru,
  page,
}) => {
  await peru.open();
  await peru.addFolder([
    base,
    ...adapter('one'),
    config('two', { r: 1, lora_alpha: 1 }),
    weights('two', factors(1)),
  ]);
  await peru.waitDone();
  await expect(peru.alert).toHaveCount(0);
  await expect(page.getByText(/no accuracy/i).first()).toBeVisible();
  // The rank asked for by default is more than these adapters have.
  await expect(peru.rankField).toHaveValue('2');
  await expect(peru.storageTable).toContainText('PERU-LoRA (q = 2)');
  await expect(peru.keptTriplets).toContainText('6 of 6 triplets');
  await expect(peru.spectraMap).toBeVisible();
  await peru.rankSlider.focus();
  await page.keyboard.press('ArrowLeft');
  await expect(peru.keptTriplets).toContainText('4 of 6 triplets');
  await peru.waitDone();
  const results = await peru.results();
  expect(results.storage.map(({ method }) => method)).toContain('peru-lora@1');
  expect(new URL(page.url()).searchParams.get('demo')).toBeNull();
});
