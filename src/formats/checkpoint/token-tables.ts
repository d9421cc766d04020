/** Tensors with a row for each token of a vocabulary, by the names models give them. */

/** What tokens are looked up in. */
const EMBEDDINGS =
  /(?:^|\.)(?:shared|embed_tokens|wte|word_embeddings|embed_in|token_embedding|tok_embeddings)\.weight$/;
/** What scores tokens; often the embedding itself. */
const HEADS =
  /(?:^|\.)(?:lm_head|lm_head\.decoder|cls\.predictions\.decoder|vocab_projector|generator_lm_head|embed_out)\.weight$/;

/** Whether a name is that of the table tokens are looked up in. */
export function isEmbedding(name: string): boolean {
  return EMBEDDINGS.test(name);
}

/** Whether a name sounds like that of some table, of positions or types too, though it need not be one. */
export function mayBeTable(name: string): boolean {
  return /(?:^|\.)(?:[^.]*emb[^.]*|w[tp]e)\.weight$/i.test(name) && !isTokenHead(name);
}

/** Whether a name is that of the table tokens are scored with. */
export function isTokenHead(name: string): boolean {
  return HEADS.test(name);
}
