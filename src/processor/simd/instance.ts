/** Modules of assembly/, one instance a thread. */

/** What every module exports, beside its loops. */
export interface Assembly {
  readonly memory: WebAssembly.Memory;
}

const PAGE_BYTES = 2 ** 16;

/**
 * What a module exports.
 *
 * @param base64 the module, as its import gives it
 */
export function exportsOf(base64: string): WebAssembly.Exports {
  const module = new WebAssembly.Module(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
  return new WebAssembly.Instance(module).exports;
}

/**
 * Makes room for `byteLength` bytes from address 0 on. Where that takes more pages, views of the
 * memory are void.
 *
 * @throws RangeError where the system gives no more
 */
export function growTo(memory: WebAssembly.Memory, byteLength: number): void {
  const missing = byteLength - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
}
