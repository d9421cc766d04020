/**
 * What names are compared by. Programs that wrap a model, and versions of one library, write the
 * same tensor under several names; each is read as the one that the plain model has today.
 */

/**
 * Parts that wrappers put anywhere into a name: torch.compile (of the whole model or of each
 * layer), DataParallel and DistributedDataParallel, FSDP, activation checkpointing, DeepSpeed, PEFT.
 */
const WRAPPERS =
  /(?<=^|\.)(?:_orig_mod|module|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module|base_layer)\./g;

/** Norms of a weight, of any name: a function of torch until 1.13, a parametrization since. */
const WEIGHT_NORMS: readonly (readonly [since: RegExp, until: string])[] = [
  [/\.parametrizations\.(\w+)\.original0$/, '.$1_g'],
  [/\.parametrizations\.(\w+)\.original1$/, '.$1_v'],
  // Spectral norm has one weight, and the vectors that its norm is found by.
  [/\.parametrizations\.(\w+)\.original$/, '.$1_orig'],
  [/\.parametrizations\.(\w+)\.0\._([uv])$/, '.$1_$2'],
];

/**
 * The names of one file by what they are compared by. A name that the other file has, too, is compared
 * as it is; where two of a file would be compared by the same name, both keep their own.
 */
export function canonicalNames(
  names: Iterable<string>,
  other: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, string> {
  const all = new Set(names);
  const canonicals = new Map([...all].map((name) => [name, canonicalName(name, all)] as const));
  const counts = new Map<string, number>();
  for (const one of canonicals.values()) counts.set(one, (counts.get(one) ?? 0) + 1);
  const compared = new Map<string, string>();
  for (const [name, canonical] of canonicals) {
    const isFree = counts.get(canonical) === 1 && !canonicals.has(canonical);
    compared.set(isFree && !other.has(name) ? canonical : name, name);
  }
  return compared;
}

function canonicalName(name: string, all: ReadonlySet<string>): string {
  return oldWeightNorm(modernNorm(name, all).replace(WRAPPERS, ''));
}

function oldWeightNorm(name: string): string {
  const found = WEIGHT_NORMS.find(([since]) => since.test(name));
  return found === undefined ? name : name.replace(...found);
}

/**
 * Old checkpoints call a norm's weight and bias gamma and beta; transformers reads both. A gamma by
 * itself may be the scale of a layer.
 */
function modernNorm(name: string, all: ReadonlySet<string>): string {
  const [, stem, which] = /^(.*\.)(gamma|beta)$/.exec(name) ?? [];
  if (stem === undefined) return name;
  const isNorm = /[Nn]orm\.$/.test(stem) || (all.has(`${stem}gamma`) && all.has(`${stem}beta`));
  if (!isNorm) return name;
  return stem + (which === 'gamma' ? 'weight' : 'bias');
}
