/**
 * How programs name the two factors of a module, and which way they lie. A file is read by the ends
 * of its tensors' names: what stands before them is the module, in whatever model.
 */

/** The side of a product that a tensor is: Δ = scale * up down; `mid`: the core of a Tucker product. */
export type FactorSide = 'up' | 'down' | 'mid';

export interface Spelling {
  readonly id: SpellingId;
  /** For people. */
  readonly title: string;
  /** What follows the module's name. */
  readonly ends: FactorEnds;
  /** up is [rank, out] and down [in, rank]: as MLX multiplies, from the left. */
  readonly isTransposed: boolean;
}

interface FactorEnds {
  readonly up: string;
  readonly down: string;
  readonly mid?: string;
  /** Of up, which PEFT multiplies by the scale as it does the product. */
  readonly bias?: string;
}

export type SpellingId =
  | 'kohya'
  | 'peft'
  | 'peft-named'
  | 'peft-embedding'
  | 'diffusers'
  | 'diffusers-joined'
  | 'diffusers-layer'
  | 'bare'
  | 'mlx';

const plain = (
  id: SpellingId,
  title: string,
  up: string,
  down: string,
  {
    isTransposed = false,
    ...more
  }: Omit<FactorEnds, 'up' | 'down'> & {
    readonly isTransposed?: boolean;
  } = {},
): Spelling => ({ id, title, ends: { up, down, ...more }, isTransposed });

const KOHYA = 'kohya (sd-scripts, ComfyUI)';
const PEFT = 'PEFT, diffusers';
const OLD_DIFFUSERS = 'diffusers, before it used PEFT';

/** Those whose end is the end of another's come first. */
export const SPELLINGS: readonly Spelling[] = [
  plain('kohya', KOHYA, '.lora_up.weight', '.lora_down.weight', { mid: '.lora_mid.weight' }),
  plain('peft', PEFT, '.lora_B.weight', '.lora_A.weight', { bias: '.lora_B.bias' }),
  plain('peft-named', PEFT, '.lora_B.default.weight', '.lora_A.default.weight', {
    bias: '.lora_B.default.bias',
  }),
  plain('peft-embedding', PEFT, '.lora_embedding_B', '.lora_embedding_A'),
  plain(
    'diffusers-layer',
    OLD_DIFFUSERS,
    '.lora_linear_layer.up.weight',
    '.lora_linear_layer.down.weight',
  ),
  plain('diffusers', OLD_DIFFUSERS, '.lora.up.weight', '.lora.down.weight'),
  plain('diffusers-joined', OLD_DIFFUSERS, '_lora.up.weight', '_lora.down.weight'),
  plain('bare', 'PEFT without “.weight”', '.lora_B', '.lora_A'),
  plain('mlx', 'MLX', '.lora_b', '.lora_a', { isTransposed: true }),
];

export interface FactorName {
  readonly spelling: Spelling;
  readonly side: FactorSide;
  /** The module, as the file calls it. */
  readonly key: string;
}

/** What a tensor's name says; null where it is no factor's. */
export function factorName(name: string): FactorName | null {
  for (const spelling of SPELLINGS) {
    const { up, down, mid } = spelling.ends;
    for (const [side, end] of [
      ['up', up],
      ['down', down],
      ['mid', mid],
    ] as const) {
      if (end === undefined || !name.endsWith(end) || name.length === end.length) continue;
      return { spelling, side, key: name.slice(0, -end.length) };
    }
  }
  return null;
}

/** The module whose up factor a tensor is the bias of; null where it is no such bias by its name. */
export function biasedModule(name: string): string | null {
  for (const { bias } of SPELLINGS.map(({ ends }) => ends)) {
    if (bias !== undefined && name.endsWith(bias)) return name.slice(0, -bias.length);
  }
  return null;
}

/** The tensor that holds a module's alpha, in files that bring one. */
export function alphaName(key: string): string {
  return `${key}.alpha`;
}
