/**
 * The layers that T5's encoder and decoder share (transformers, modeling_t5.py; pre-norm):
 *
 *     x += o(softmax(q k^T + bias) v);  x += wo(act(wi x))
 *
 * RMSNorm, no biases, no scaling of the scores. Between attentions all tokens of all rows lie in
 * one matrix [rows x tokens, hidden], so that every linear layer is a single Gemm; torch keeps
 * weights as [out, in]: transB. Rows and tokens are known only at run time.
 */
import { attentionSize, type T5Config } from './t5-config';
import { type GraphBuilder, type Value } from '@/evaluate/onnx/graph-builder';

/** A graph and the weights it wants as inputs. */
export interface T5Graph {
  /** ONNX protobuf. */
  readonly model: Uint8Array;
  /** Names, as in the checkpoint, and shapes. */
  readonly weights: ReadonlyMap<string, readonly number[]>;
}

/** Keys and values of an attention, [rows, tokens, heads x head size] each. */
export interface KeysAndValues {
  readonly keys: Value;
  readonly values: Value;
}

export const TOKEN_EMBEDDING = 'shared.weight';

/** Token ids [rows, tokens] -> their embeddings [rows x tokens, hidden], and shapes to come back by. */
export function addEmbeddings(
  graph: GraphBuilder,
  ids: Value,
  config: T5Config,
): { readonly hidden: Value; readonly attentionShape: Value } {
  const { vocabularySize, hiddenSize } = config;
  const table = graph.weight(TOKEN_EMBEDDING, [vocabularySize, hiddenSize]);
  const tokens = graph.op('Gather', [table, ids]);
  const sizes = [graph.op('Shape', [ids]), graph.ints(attentionSize(config))];
  return {
    hidden: graph.op('Reshape', [tokens, graph.ints(-1, hiddenSize)]),
    attentionShape: graph.op('Concat', sizes, { axis: { int: 0 } }),
  };
}

/**
 * Bias of every head by distance, [1, heads, tokens, tokens]. The table of block 0 serves all
 * layers of its stack.
 *
 * @param buckets [tokens, tokens], from `relativeBuckets`
 */
export function addPositionBias(
  graph: GraphBuilder,
  buckets: Value,
  stack: 'encoder' | 'decoder',
  config: T5Config,
): Value {
  const name = `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;
  const table = graph.weight(name, [config.bucketCount, config.headCount]);
  const perPair = graph.op('Gather', [table, buckets]);
  const perHead = graph.op('Transpose', [perPair], { perm: { ints: [2, 0, 1] } });
  return graph.op('Unsqueeze', [perHead, graph.ints(0)]);
}

/** x W^T with `name.weight`. */
function addLinear(
  graph: GraphBuilder,
  input: Value,
  name: string,
  sizes: { readonly inSize: number; readonly outSize: number },
): Value {
  const weight = graph.weight(`${name}.weight`, [sizes.outSize, sizes.inSize]);
  return graph.op('Gemm', [input, weight], { transB: { int: 1 } });
}

/** w x / sqrt(mean(x^2) + epsilon) over the last axis, w = `name.weight`. */
export function addRmsNorm(
  graph: GraphBuilder,
  input: Value,
  name: string,
  config: T5Config,
): Value {
  const inputs = [input, graph.weight(`${name}.weight`, [config.hiddenSize])];
  return graph.op('SimplifiedLayerNormalization', inputs, {
    axis: { int: -1 },
    epsilon: { float: config.normEpsilon },
  });
}

/** Keys and values that `name` makes of `input` [rows x tokens, hidden]. */
export function addKeysAndValues(
  graph: GraphBuilder,
  input: Value,
  name: string,
  shape: Value,
  config: T5Config,
): KeysAndValues {
  const sizes = { inSize: config.hiddenSize, outSize: attentionSize(config) };
  const project = (which: 'k' | 'v'): Value =>
    graph.op('Reshape', [addLinear(graph, input, `${name}.${which}`, sizes), shape]);
  return { keys: project('k'), values: project('v') };
}

/** What an attention sees beside its queries. */
export interface AttentionPlace extends KeysAndValues {
  /** Of the weights q and o. */
  readonly name: string;
  /** [rows, tokens, heads x head size] of the queries. */
  readonly shape: Value;
  /** Added to the scores: [1 or rows, 1 or heads, queries, keys]. */
  readonly bias: Value;
}

/** o(softmax(q k^T + bias) v) for `input` [rows x tokens, hidden]. */
export function addAttention(
  graph: GraphBuilder,
  input: Value,
  place: AttentionPlace,
  config: T5Config,
): Value {
  const { name, shape, keys, values, bias } = place;
  const [inSize, outSize] = [config.hiddenSize, attentionSize(config)];
  const projected = addLinear(graph, input, `${name}.q`, { inSize, outSize });
  const queries = graph.op('Reshape', [projected, shape]);
  // The bias is the sixth input; the projections' biases and key padding before it stay absent.
  const inputs = [queries, keys, values, '', '', bias];
  const mixed = graph.contrib('MultiHeadAttention', inputs, {
    num_heads: { int: config.headCount },
    scale: { float: 1 },
  });
  const rows = graph.op('Reshape', [mixed, graph.ints(-1, outSize)]);
  return addLinear(graph, rows, `${name}.o`, { inSize: outSize, outSize: inSize });
}

/** x + attention of the normed x to itself; `layer` names the sub-layer. */
export function addSelfAttention(
  graph: GraphBuilder,
  input: Value,
  layer: string,
  place: { readonly shape: Value; readonly bias: Value },
  config: T5Config,
): Value {
  const name = `${layer}.SelfAttention`;
  const normed = addRmsNorm(graph, input, `${layer}.layer_norm`, config);
  const seen = addKeysAndValues(graph, normed, name, place.shape, config);
  return graph.op('Add', [input, addAttention(graph, normed, { ...place, ...seen, name }, config)]);
}

/** x + feed-forward of the normed x; `layer` names the sub-layer. */
export function addFeedForward(
  graph: GraphBuilder,
  input: Value,
  layer: string,
  config: T5Config,
): Value {
  const { hiddenSize, intermediateSize } = config;
  const name = `${layer}.DenseReluDense`;
  const normed = addRmsNorm(graph, input, `${layer}.layer_norm`, config);
  const widen = (which: string): Value =>
    addLinear(graph, normed, `${name}.${which}`, { inSize: hiddenSize, outSize: intermediateSize });
  const wide =
    config.feedForward === 'relu'
      ? graph.op('Relu', [widen('wi')])
      : // FastGelu is gelu_new, the one by tanh.
        graph.op('Mul', [graph.contrib('FastGelu', [widen('wi_0')]), widen('wi_1')]);
  const sizes = { inSize: intermediateSize, outSize: hiddenSize };
  return graph.op('Add', [input, addLinear(graph, wide, `${name}.wo`, sizes)]);
}
