/**
 * What names are compared by. Programs that wrap a model, and versions of one library, write the
 * same tensor under several names; each is read as the one that the plain model has today.
 */

/**
 * Parts that wrappers put anywhere into a name: torch.compile (of the whole model or of each
 * layer), DataParallel and DistributedDataParallel, FSDP, activation checkpointing, DeepSpeed.
 */
const WRAPPERS =
  /(?<=^|\.)(?:_orig_mod|module|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)\./g;

/** The two halves of torch's weight norm: until 1.13, and as a parametrization since. */
const WEIGHT_NORM: readonly (readonly [since: string, until: string])[] = [
  ['.parametrizations.weight.original0', '.weight_g'],
  ['.parametrizations.weight.original1', '.weight_v'],
];

/**
 * The names of one file by what they are compared by. A name that the other file has, too, is compared
 * as it is; where two of a file would be compared by the same name, both keep their own.
 */
export function canonicalNames(
  names: Iterable<string>,
  other: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, string> {
  const canonicals = new Map([...names].map((name) => [name, canonicalName(name)] as const));
  const counts = new Map<string, number>();
  for (const one of canonicals.values()) counts.set(one, (counts.get(one) ?? 0) + 1);
  const compared = new Map<string, string>();
  for (const [name, canonical] of canonicals) {
    const isFree = counts.get(canonical) === 1 && !canonicals.has(canonical);
    compared.set(isFree && !other.has(name) ? canonical : name, name);
  }
  return compared;
}

function canonicalName(name: string): string {
  return modernNorm(oldWeightNorm(name.replace(WRAPPERS, '')));
}

function oldWeightNorm(name: string): string {
  const found = WEIGHT_NORM.find(([since]) => name.endsWith(since));
  return found === undefined ? name : name.slice(0, -found[0].length) + found[1];
}

/** Old checkpoints call a norm's weight and bias gamma and beta; transformers reads both. */
function modernNorm(name: string): string {
  if (/[Nn]orm\.gamma$/.test(name)) return name.replace(/gamma$/, 'weight');
  return /[Nn]orm\.beta$/.test(name) ? name.replace(/beta$/, 'bias') : name;
}
