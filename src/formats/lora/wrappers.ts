/** Parts that `torch.compile`, FSDP and checkpointing put into the names of what they wrap. */
export const WRAPPER_PARTS: ReadonlySet<string> = new Set([
  '_orig_mod',
  '_fsdp_wrapped_module',
  '_checkpoint_wrapped_module',
]);

/** A name without the parts that wrappers around modules have put into it. */
export function withoutWrappers(name: string): string {
  const parts = name.split('.');
  return parts.some((part) => WRAPPER_PARTS.has(part))
    ? parts.filter((part) => !WRAPPER_PARTS.has(part)).join('.')
    : name;
}
