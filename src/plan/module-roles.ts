/** What a layer does in its block, by the names that libraries give to it. */
import { isEmbedding, isTokenHead } from './token-tables';

/** `.#` stands for an index, as in `to_out.0`. */
const PROJECTION = String.raw`(?:_?(?:proj|projection|lin|linear))?(?:\.#)?$`;
const ROLES: readonly (readonly [role: string, path: RegExp])[] = [
  ['query', new RegExp(`(?:^|[._])(?:q|query|wq)${PROJECTION}`)],
  ['key', new RegExp(`(?:^|[._])(?:k|key|wk)${PROJECTION}`)],
  ['value', new RegExp(`(?:^|[._])(?:v|value|wv)${PROJECTION}`)],
  ['attention output', new RegExp(`(?:^|[._])(?:o|out|wo)${PROJECTION}`)],
  ['attention output', /att(?:entio)?n[^.]*\.(?:output\.)?(?:dense|c_proj|proj)$/],
  ['norm before', /(?:^|[._])(?:layer_?norm_?1|layer_?norm_before|ln_?1|norm_?1)$/],
  ['norm before', /(?:^|\.)(?:input_layernorm|attn_norm|attention_norm)$/],
  ['norm after', /(?:^|[._])(?:layer_?norm_?2|layer_?norm_after|ln_?2|norm_?2)$/],
  ['norm after', /(?:^|\.)(?:post_attention_layernorm|mlp_norm|ffn_norm)$/],
  ['gate', /(?:^|\.)gate_proj$/],
  ['first', /(?:^|[._])(?:fc_?1|c_fc|lin_?1|linear_?1|dense_?1|up_proj|dense_h_to_4h)$/],
  ['first', /(?:^|\.)intermediate\.dense$/],
  ['second', /(?:^|[._])(?:fc_?2|lin_?2|linear_?2|dense_?2|down_proj|dense_4h_to_h)$/],
  ['second', /(?:^|\.)(?:mlp\.c_proj|(?<!att(?:entio)?n\.)output\.dense)$/],
];

/**
 * The role of a module in its block, or null where its name says none.
 *
 * @param path of the module, its indices written as `#`
 */
export function moduleRole(path: string): string | null {
  return ROLES.find(([, names]) => names.test(path))?.[0] ?? null;
}

/** Which table of tokens a module is: what they are looked up in, or scored with. */
export function tableRole(path: string): string | null {
  const name = `${path}.weight`;
  if (isTokenHead(name)) return 'token head';
  return isEmbedding(name) ? 'token embedding' : null;
}
