/**
 * Frees what a promise brings, once it has; where it failed there is nothing to free, and whoever
 * awaited it has been told.
 */
export function whenSettled<T>(
  promise: Promise<T> | null,
  free: (value: T) => void | Promise<void>,
): void {
  promise?.then(free).catch(() => undefined);
}
