/** Changes of weights that are no plain product of two factors, told by the names of their tensors. */
import { PeruError } from '@/core/errors';

interface Kind {
  readonly title: string;
  readonly names: RegExp;
  readonly why: string;
}

const BAKE_IN =
  'Merge it into its base model with the program that trained it, and subtract the base to get plain LoRA factors (sd-scripts: networks/extract_lora_from_models.py); leave it out to go on with the others.';

const KINDS: readonly Kind[] = [
  {
    title: 'a DoRA',
    names: /\.(?:dora_scale|lora_magnitude_vector(?:\.\w+)*)$/,
    why: 'it also scales each weight by a norm that depends on the base',
  },
  {
    title: 'a LoHa',
    names: /\.hada_(?:w[12]_[ab]|t[12])(?:\.\w+)*$/,
    why: 'its change is an elementwise product of two products',
  },
  {
    title: 'a LoKr',
    names: /\.lokr_(?:w[12](?:_[ab])?|t2)(?:\.\w+)*$/,
    why: 'its change is a Kronecker product',
  },
  {
    title: 'an OFT or BOFT',
    names: /(?:^|\.)b?oft_(?:blocks|diag|[rs])(?:\.\w+)*$/i,
    why: 'it turns weights rather than adding to them',
  },
  {
    title: 'a GLoRA',
    names: /\.[ab][12]\.weight$/,
    why: 'its change depends on the base',
  },
];

/** DoRA of MLX: its norm is called `m`, beside factors alone. */
const MLX_NORM = /\.m$/;

/** @throws PeruError `unsupported` naming the kind and a tensor of it */
export function refuseOtherKinds(names: Iterable<string>, label: string, isMlx: boolean): void {
  for (const name of names) {
    const kind = KINDS.find((one) => one.names.test(name));
    const found = kind ?? (isMlx && MLX_NORM.test(name) ? KINDS[0]! : null);
    if (found === null) continue;
    throw new PeruError(
      'unsupported',
      `${label} is ${found.title}: ${found.why} ("${name}"), so that no rank can be cut from its factors alone.`,
      BAKE_IN,
    );
  }
}
