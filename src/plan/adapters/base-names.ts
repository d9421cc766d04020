/**
 * The base's names as an adapter's are compared with them: without the parts that wrappers leave
 * in the names of what they wrap. Wrappers come and go; what a layer is called stays.
 */
import { withoutWrappers } from '@/formats/lora/wrappers';

/** `DistributedDataParallel` and PEFT; what torch.compile and FSDP leave has names nobody else uses. */
const WRAPPERS: ReadonlySet<string> = new Set(['module', 'base_layer']);

export interface BaseNames {
  /** By the name without wrappers. */
  readonly byKey: ReadonlyMap<string, string>;
  readonly keys: readonly string[];
  /** The base's name for a name that the base itself, or it without wrappers, has. */
  readonly find: (name: string) => string | null;
}

export function baseNames(names: Iterable<string>): BaseNames {
  const all = new Set(names);
  const byKey = new Map<string, string>();
  for (const name of all) {
    const key = withoutParts(name);
    // Two tensors of one key, or a key that is another's name, keep the names they have.
    byKey.set(key === name || all.has(key) || byKey.has(key) ? name : key, name);
  }
  const find = (name: string): string | null =>
    all.has(name) ? name : (byKey.get(withoutParts(name)) ?? null);
  return { byKey, keys: [...byKey.keys()], find };
}

/** A name without the parts of any wrapper. */
function withoutParts(name: string): string {
  const plain = withoutWrappers(name);
  const parts = plain.split('.');
  return parts.some((part) => WRAPPERS.has(part))
    ? parts.filter((part) => !WRAPPERS.has(part)).join('.')
    : plain;
}
