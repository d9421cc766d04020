/**
 * Buffers: tensors that a module keeps but never learns, such as causal masks, position ids and
 * rotary frequencies. Library versions save them or not, as numbers or as booleans, so they say
 * nothing of what a model is.
 */

const NAMES =
  /(?:^|[._])(?:ids|index|indices|mask|(?:original_)?inv_freq|masked_bias|num_batches_tracked|(?:cos|sin)_cached|freqs_cis)$/;
/** GPT-2, GPT-Neo and GPT-NeoX keep their causal mask, [1, 1, n, n], as the attention's bias. */
const MASK = /(?:^|\.)(?:attn|attention)\.bias$/;

/** Whether the name and the shape are those of a buffer of a kind that models are known to have. */
export function isBuffer(name: string, shape: readonly number[]): boolean {
  return NAMES.test(name) || (MASK.test(name) && shape.length > 2);
}
