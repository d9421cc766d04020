import { type MethodId, type StorageRow } from '@/store/state/results';

/**
 * Bytes a method of a group of adapters takes beside the base, which every method needs and none
 * changes; null before the base's own bytes are known.
 */
export function bytesBesideBase(
  method: MethodId,
  storage: Readonly<Record<MethodId, StorageRow>>,
): number | null {
  const base = storage.pretrained?.bytes;
  const bytes = storage[method]?.bytes;
  return base === undefined || bytes === undefined ? null : Math.max(0, bytes - base);
}
