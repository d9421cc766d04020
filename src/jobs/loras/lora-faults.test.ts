/** LoRA files that are broken, or do not belong together: each is told by its name. */
import { describe, expect, it } from 'vitest';
import { type ErrorFacts } from '@/core/errors';
import { exportFiles } from '@/jobs/cases/open-files.fixture';
import { testPlatform } from '@/jobs/context/test-platform.fixture';
import { memoryStore } from '@/jobs/context/memory-store.fixture';
import { createSession } from '@/jobs/session';
import { RECIPE } from '@/jobs/staging/export-group.fixture';
import { NO_CHOICES } from '@/plan/preflight';
import { type JobEvent, type JobOutcome } from '@/protocol/events';
import { type AddedFile } from '@/protocol/requests';
import { DEFAULT_LORA, type LoraChoices } from '@/recipe/lora-choices';
import { type Recipe } from '@/recipe/recipe';
import { readSafetensorsHeader } from '@/tensor/safetensors';
import { f32, type FixtureTensor, soundFile } from '@/tensor/safetensors.fixture';

type Tensors = Readonly<Record<string, FixtureTensor>>;

const UNET = 'lora_unet_down_blocks_0_attn_to_q';

function fill(shape: readonly number[], seed: number): FixtureTensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return f32(
    shape,
    Array.from({ length: count }, (_, i) => Math.sin(seed + 3 * i)),
  );
}

/** A module of kohya's of rank 2, 6 x 5. */
function module(key: string, seed = 1, alpha: number | null = 2): Tensors {
  return {
    [`${key}.lora_down.weight`]: fill([2, 5], seed),
    [`${key}.lora_up.weight`]: fill([6, 2], seed + 7),
    ...(alpha === null ? {} : { [`${key}.alpha`]: f32([], [alpha]) }),
  };
}

function added(name: string, tensors: Tensors): AddedFile {
  return { path: name, file: new File([soundFile(tensors)], name) };
}

interface Tried {
  readonly error: ErrorFacts | null;
  readonly events: readonly JobEvent[];
  readonly at: 'open' | 'load' | 'run' | null;
}

function recipeOf(lora: Partial<LoraChoices>): Recipe {
  return { ...RECIPE, rank: { by: 'count', q: 1 }, lora: { ...DEFAULT_LORA, ...lora } };
}

async function tryFiles(
  files: readonly AddedFile[],
  lora: Partial<LoraChoices> = {},
): Promise<Tried> {
  const session = createSession(testPlatform(memoryStore()));
  const events: JobEvent[] = [];
  const hear = (event: JobEvent): void => {
    events.push(event);
  };
  const recipe = recipeOf(lora);
  const steps: readonly (readonly [Tried['at'], () => Promise<JobOutcome>])[] = [
    ['open', () => session.open({ kind: 'files', files }, NO_CHOICES, hear)],
    ['load', () => session.load(hear)],
    ['run', () => session.run(recipe, hear)],
  ];
  for (const [at, step] of steps) {
    const outcome = await step();
    if (outcome.status === 'failed') return { error: outcome.error, events, at };
  }
  return { error: null, events, at: null };
}

describe('a file that is broken', () => {
  const withoutUp = Object.fromEntries(
    Object.entries(module(UNET)).filter(([name]) => !name.includes('lora_up')),
  );
  it.each<[string, Tensors, Tried['at'], Partial<ErrorFacts>, RegExp]>([
    [
      'down without up',
      withoutUp,
      'open',
      { kind: 'mismatch' },
      /one factor of "lora_unet_.*" alone/,
    ],
    [
      'ranks that disagree',
      { ...module(UNET), [`${UNET}.lora_up.weight`]: fill([6, 3], 1) },
      'open',
      { kind: 'mismatch' },
      /do not belong together: .*\[2, 5\].*\[6, 3\]/,
    ],
    ['alpha 0', module(UNET, 1, 0), 'load', { kind: 'mismatch' }, /alpha" for .* is 0/],
    ['alpha NaN', module(UNET, 1, Number.NaN), 'load', { kind: 'mismatch' }, /is NaN/],
    ['alpha negative', module(UNET, 1, -4), 'load', { kind: 'mismatch' }, /is -4/],
    [
      'alpha of two numbers',
      { ...module(UNET, 1, null), [`${UNET}.alpha`]: f32([2], [1, 2]) },
      'open',
      { kind: 'mismatch' },
      /F32 \[2\], where one number belongs/,
    ],
    [
      'fp8',
      {
        ...module(UNET),
        [`${UNET}.lora_up.weight`]: { dtype: 'F8_E4M3', shape: [6, 2], bytes: new Uint8Array(12) },
      },
      'open',
      { kind: 'unsupported' },
      /stored as F8_E4M3: factors are read as F32, F16 or BF16/,
    ],
    [
      'NaN in a factor',
      { ...module(UNET), [`${UNET}.lora_up.weight`]: f32([6, 2], new Array<number>(12).fill(NaN)) },
      'load',
      { kind: 'non-finite', exclude: [] },
      /style\.safetensors holds NaN or Inf in "lora_unet_.*" \(12\)/,
    ],
    [
      'DoRA',
      { ...module(UNET), [`${UNET}.dora_scale`]: fill([6, 1], 2) },
      'open',
      { kind: 'unsupported' },
      /is a DoRA: .*dora_scale/,
    ],
    [
      'LoKr beside LoRA',
      { ...module(UNET), 'lora_unet_mid.lokr_w1': fill([2, 2], 2) },
      'open',
      { kind: 'unsupported' },
      /is a LoKr/,
    ],
  ])('%s', async (_, tensors, at, facts, says) => {
    const tried = await tryFiles([added('style.safetensors', tensors)]);
    expect(tried).toMatchObject({ at, error: facts });
    expect(tried.error!.message).toMatch(says);
    expect(tried.error!.message).toContain('style.safetensors');
    expect(tried.error!.hint).not.toBe('');
  });

  it('of another rank than its configuration says', async () => {
    const config = { peft_type: 'LORA', r: 16, lora_alpha: 16, target_modules: ['q'] };
    const weights = {
      'base_model.model.q.lora_A.weight': fill([2, 5], 1),
      'base_model.model.q.lora_B.weight': fill([6, 2], 2),
    };
    const json = new File([JSON.stringify(config)], 'adapter_config.json');
    const { path, file } = added('adapter_model.safetensors', weights);
    const { error, at } = await tryFiles([
      { path: 'lora/adapter_config.json', file: json },
      { path: `lora/${path}`, file },
    ]);
    expect(at).toBe('open');
    expect(error!.message).toMatch(/has rank 2 in its file, but its configuration says 16/);
  });

  it('truncated, or with a header of 100 MB', async () => {
    const whole = soundFile(module(UNET));
    const cut = new File([whole.slice(0, whole.byteLength - 8)], 'cut.safetensors');
    const truncated = await tryFiles([{ path: 'cut.safetensors', file: cut }]);
    expect(truncated).toMatchObject({ at: 'open', error: { kind: 'parse' } });
    const start = new Uint8Array(16);
    new DataView(start.buffer).setBigUint64(0, 100_000_000n, true);
    const huge = new File([start, new Uint8Array(1e6)], 'huge.safetensors');
    const tooLong = await tryFiles([{ path: 'huge.safetensors', file: huge }]);
    expect(tooLong.error?.message).toMatch(/huge\.safetensors/);
  });

  it('says nothing against a file without alpha, of rank over its size, or of whole numbers', async () => {
    const wide = { 'x.lora_A.weight': fill([7, 5], 1), 'x.lora_B.weight': fill([6, 7], 2) };
    const whole = {
      ...module(UNET, 1, null),
      [`${UNET}.alpha`]: {
        dtype: 'I64' as const,
        shape: [],
        bytes: new Uint8Array(new BigInt64Array([2n]).buffer),
      },
    };
    for (const tensors of [module(UNET, 1, null), wide, whole]) {
      expect((await tryFiles([added('style.safetensors', tensors)])).error).toBeNull();
    }
  });
});

describe('files that can not be added up', () => {
  const other = 'lora_unet_other_model_0_to_q';

  it('are of different models: told before anything is computed, and still made smaller', async () => {
    const files = [added('a.safetensors', module(UNET)), added('b.safetensors', module(other, 3))];
    const { error, at, events } = await tryFiles(files, { make: 'one' });
    expect(at).toBe('run');
    expect(error).toMatchObject({ kind: 'mismatch' });
    expect(error!.message).toMatch(/can not be added up: no module of a and b is in another file/);
    const told = events.find((event) => event.type === 'preflight')!.preflight.findings;
    expect(told[0]).toMatchObject({
      level: 'warning',
      title: 'No module of a and b is in another file.',
    });
    expect((await tryFiles(files)).error).toBeNull();
  });

  it('have one name and two shapes', async () => {
    const wide = {
      [`${UNET}.lora_down.weight`]: fill([2, 9], 1),
      [`${UNET}.lora_up.weight`]: fill([6, 2], 2),
    };
    const files = [added('a.safetensors', module(UNET)), added('b.safetensors', wide)];
    const { error } = await tryFiles(files, { make: 'one' });
    expect(error!.message).toMatch(/is \[6, 5\] in a and \[6, 9\] in b/);
  });

  it('have names that only dots tell apart', async () => {
    const twice = { ...module('unet.a_b.c', 1, null), ...module('unet.a.b_c', 2, null) };
    const files = [
      added('a.safetensors', twice),
      added('b.safetensors', module('lora_unet_a_b_c')),
    ];
    const { error } = await tryFiles(files, { make: 'one' });
    expect(error!.message).toMatch(/two modules that only one spelling tells apart/);
    expect((await tryFiles(files)).error).toBeNull();
  });

  it('but parts of one pipeline stand side by side', async () => {
    const files = [
      added('unet.safetensors', module(UNET)),
      added('text.safetensors', module('lora_te_text_model_layers_0_q', 3)),
    ];
    const { error, events } = await tryFiles(files, { make: 'one' });
    expect(error).toBeNull();
    const told = events.find((event) => event.type === 'preflight')!.preflight.findings;
    expect(told[0]!.detail).toMatch(/other parts of a pipeline/);
    const [facts] = events.flatMap((event) => (event.type === 'low-rank' ? [event.facts] : []));
    expect(facts).toMatchObject({ task: 'combined', ranks: [1, 1] });
  });
});

describe('what files carry beside factors', () => {
  const norm = (seed: number): Tensors => ({ 'lora_unet_norm.diff': fill([3], seed) });
  const own = { 'lora_unet_bias.diff_b': fill([4], 9) };

  it('goes along from every file of a sum', async () => {
    const files = [
      added('a.safetensors', { ...module(UNET), ...norm(1) }),
      added('b.safetensors', { ...module(UNET, 5), ...own }),
    ];
    const store = await exportFiles(files, undefined, recipeOf({ make: 'one' }));
    const bytes = store.files.get('combined.safetensors')!;
    const { tensors } = await readSafetensorsHeader(new Blob([bytes]), 'combined.safetensors');
    const copied = (name: string) => {
      const { byteStart, byteLength } = tensors.get(name)!;
      return bytes.slice(byteStart, byteStart + byteLength);
    };
    expect(copied('lora_unet_norm.diff')).toEqual(norm(1)['lora_unet_norm.diff']!.bytes);
    expect(copied('lora_unet_bias.diff_b')).toEqual(own['lora_unet_bias.diff_b'].bytes);
  });

  it('is refused in a sum where two files bring the same, unless it is left out', async () => {
    const files = [
      added('a.safetensors', { ...module(UNET), ...norm(1) }),
      added('b.safetensors', { ...module(UNET, 5), ...norm(2) }),
    ];
    const { error } = await tryFiles(files, { make: 'one' });
    expect(error).toMatchObject({ kind: 'mismatch' });
    expect(error!.message).toMatch(/^a and b both bring "lora_unet_norm\.diff"/);
    expect((await tryFiles(files, { make: 'one', carried: 'leave' })).error).toBeNull();
    expect((await tryFiles(files)).error).toBeNull();
  });

  it('never gives way to a name that another spelling makes', async () => {
    const peft = (key: string, seed: number): Tensors => ({
      [`${key}.lora_A.weight`]: fill([2, 5], seed),
      [`${key}.lora_B.weight`]: fill([6, 2], seed),
    });
    const twice = { ...peft('unet.a_b.c', 1), ...peft('unet.a.b_c', 2) };
    const { error } = await tryFiles([added('a.safetensors', twice)], { spelling: 'kohya' });
    expect(error!.message).toMatch(/Two tensors of a would be called "lora_unet_a_b_c\.lora_down/);
  });
});

describe('a spelling that has no name for a module', () => {
  it('is refused by its names, with the way out', async () => {
    const files = [added('style.safetensors', module(UNET))];
    const { error } = await tryFiles(files, { spelling: 'peft' });
    expect(error).toMatchObject({ kind: 'unsupported' });
    expect(error!.message).toContain(UNET);
    expect(error!.hint).toMatch(/add a file of the same model in PEFT’s spelling/);
  });

  it('is found where another file has the name', async () => {
    const dotted = {
      'unet.down_blocks.0.attn.to_q.lora_A.weight': fill([3, 5], 4),
      'unet.down_blocks.0.attn.to_q.lora_B.weight': fill([6, 3], 5),
    };
    const files = [added('style.safetensors', module(UNET)), added('names.safetensors', dotted)];
    expect((await tryFiles(files, { spelling: 'peft' })).error).toBeNull();
    expect((await tryFiles(files, { spelling: 'kohya' })).error).toBeNull();
    expect((await tryFiles(files, { spelling: 'mlx' })).error?.kind).toBe('unsupported');
  });
});
