/**
 * What a layer is to its block, by the names that models give it. Only where the same layers have
 * other names in a file than in the model that was adapted (transformers renames those of some
 * models in memory) do these words decide which is which, and only together with all shapes.
 */

export type LayerRole =
  'query' | 'key' | 'value' | 'output' | 'gate' | 'up' | 'down' | 'norm before' | 'norm after';

const BY_LAST_PART: readonly (readonly [LayerRole, RegExp])[] = [
  ['query', /^(?:q|query|q_proj|query_proj|q_lin|q_linear|linear_q|to_q|wq)$/],
  ['key', /^(?:k|key|k_proj|key_proj|k_lin|k_linear|linear_k|to_k|wk)$/],
  ['value', /^(?:v|value|v_proj|value_proj|v_lin|v_linear|linear_v|to_v|wv)$/],
  ['gate', /^gate_proj$/],
  [
    'norm before',
    /^(?:layer_?norm_?(?:1|before)|ln_?1|norm_?1|input_layernorm|att(?:entio)?n_norm)$/,
  ],
  [
    'norm after',
    /^(?:layer_?norm_?(?:2|after)|ln_?2|norm_?2|post_attention_layernorm|(?:mlp|ffn)_norm)$/,
  ],
];
const ATTENTION_OUTPUT =
  /^(?:o|o_proj|out_proj|out_lin|linear_out|attn_out|to_out|wo|dense|proj|c_proj|output)$/;
const UP = /^(?:fc1|lin1|linear1|dense1|up_proj|c_fc|dense_h_to_4h)$/;
const DOWN = /^(?:fc2|lin2|linear2|dense2|down_proj|c_proj|dense_4h_to_h|ff_out)$/;

/**
 * @param inner a tensor's name behind its block's: `attention.attention.query.weight`
 * @returns null where the name does not say
 */
export function roleOf(inner: string): LayerRole | null {
  // A number at the end is a place in a list of one layer, as in `to_out.0`.
  const parts = inner.replace(/(?:\.[\d#]+)?\.[^.]*$/, '').split('.');
  const last = parts.at(-1) ?? '';
  const known = BY_LAST_PART.find(([, words]) => words.test(last));
  if (known !== undefined) return known[0];
  if (parts.some((part) => /att/i.test(part))) return ATTENTION_OUTPUT.test(last) ? 'output' : null;
  if (/^(?:o_proj|out_proj|out_lin)$/.test(last)) return 'output';
  if (UP.test(last) || isDense(parts, 'intermediate')) return 'up';
  return DOWN.test(last) || isDense(parts, 'output') ? 'down' : null;
}

/** BERT's `intermediate.dense` and `output.dense`. */
function isDense(parts: readonly string[], of: string): boolean {
  return parts.at(-1) === 'dense' && parts.at(-2) === of;
}
