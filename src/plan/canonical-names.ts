/**
 * What names are compared by. Programs that wrap a model, and versions of one library, write the
 * same tensor under several names; each is read as the one that the plain model has today.
 */

/**
 * Parts that wrappers put anywhere into a name: torch.compile (of the whole model or of each
 * layer), DataParallel and DistributedDataParallel, FSDP, activation checkpointing, DeepSpeed.
 */
const WRAPPERS = new Set([
  '_orig_mod',
  'module',
  '_fsdp_wrapped_module',
  '_checkpoint_wrapped_module',
  '_forward_module',
]);

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
  const all = [...names];
  const counts = new Map<string, number>();
  for (const name of all) {
    const canonical = canonicalName(name);
    counts.set(canonical, (counts.get(canonical) ?? 0) + 1);
  }
  const stored = new Set(all);
  const isFree = (canonical: string): boolean =>
    counts.get(canonical) === 1 && !stored.has(canonical);
  return new Map(
    all.map((name) => {
      const canonical = canonicalName(name);
      return [!other.has(name) && isFree(canonical) ? canonical : name, name] as const;
    }),
  );
}

function canonicalName(name: string): string {
  const parts = name.split('.');
  const kept = parts.filter((part, i) => i === parts.length - 1 || !WRAPPERS.has(part));
  return modernNorm(oldWeightNorm(kept.join('.')));
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
