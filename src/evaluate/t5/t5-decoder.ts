/** T5's decoder and head as an ONNX graph: the answer so far in, logits of its next token out. */
import { attentionSize, type T5Config } from './t5-config';
import { GraphBuilder, type Value } from '@/evaluate/onnx/graph-builder';
import { crossAttentionName, sourceNames } from './t5-sources';
import {
  addAttention,
  addEmbeddings,
  addFeedForward,
  addPositionBias,
  addRmsNorm,
  addSelfAttention,
  type T5Graph,
  TOKEN_EMBEDDING,
} from './t5-layers';

/** One past the last of any axis, for Slice. */
const TO_THE_END = 2 ** 31 - 1;

/**
 * Inputs: `answer_ids` [rows, answer] int32, the start token first; `buckets` [answer, answer]
 * int32; `later_mask` [1, 1, answer, answer] (`laterHidden`); `padding_mask`
 * [rows, 1, answer, tokens] of the encoder's padding; `source_keys_I` and
 * `source_values_I` (`buildT5SourcesGraph`); every weight under its safetensors name. Output: `logits`
 * [rows, vocabulary] after the last token only.
 *
 * There is no cache of the answer's own keys and values: every step computes the whole answer
 * again. For an answer of n tokens that is n (n + 1) / 2 token passes rather than n, 3 for the
 * usual word and end token and 45 for the 9 tokens of the public protocol's limit, next to the
 * 50 to 150 tokens of the prompt, which are encoded once.
 */
export function buildT5DecoderGraph(config: T5Config): T5Graph {
  const graph = new GraphBuilder('t5_decoder');
  const ids = graph.input('answer_ids', ['rows', 'answer'], 'int32');
  const buckets = graph.input('buckets', ['answer', 'answer'], 'int32');
  const later = graph.input('later_mask', [1, 1, 'answer', 'answer']);
  const { hidden, attentionShape: shape } = addEmbeddings(graph, ids, config);
  const bias = graph.op('Add', [addPositionBias(graph, buckets, 'decoder', config), later]);
  let state = hidden;
  for (let index = 0; index < config.decoderLayerCount; index++) {
    const block = `decoder.block.${index}`;
    state = addSelfAttention(graph, state, `${block}.layer.0`, { shape, bias }, config);
    state = addCrossAttention(graph, state, index, shape, config);
    state = addFeedForward(graph, state, `${block}.layer.2`, config);
  }
  const last = addLastTokens(graph, state, graph.op('Shape', [ids]), config);
  const normed = addRmsNorm(graph, last, 'decoder.final_layer_norm', config);
  graph.output('logits', addHead(graph, normed, config), ['rows', config.vocabularySize]);
  return { model: graph.build(), weights: graph.weights };
}

function addCrossAttention(
  graph: GraphBuilder,
  input: Value,
  index: number,
  shape: Value,
  config: T5Config,
): Value {
  const sizes = ['rows', 'tokens', attentionSize(config)];
  const names = sourceNames(index);
  const normed = addRmsNorm(graph, input, `decoder.block.${index}.layer.1.layer_norm`, config);
  const attended = addAttention(
    graph,
    normed,
    {
      name: crossAttentionName(index),
      shape,
      keys: graph.input(names.keys, sizes),
      values: graph.input(names.values, sizes),
      bias: graph.input('padding_mask', ['rows', 1, 'answer', 'tokens']),
    },
    config,
  );
  return graph.op('Add', [input, attended]);
}

/** Last token of every row: [rows x answer, hidden] -> [rows, hidden]. */
function addLastTokens(
  graph: GraphBuilder,
  state: Value,
  idsShape: Value,
  config: T5Config,
): Value {
  const { hiddenSize } = config;
  const shape = graph.op('Concat', [idsShape, graph.ints(hiddenSize)], { axis: { int: 0 } });
  const sequences = graph.op('Reshape', [state, shape]);
  const [from, to, axis] = [graph.ints(-1), graph.ints(TO_THE_END), graph.ints(1)];
  const last = graph.op('Slice', [sequences, from, to, axis]);
  return graph.op('Reshape', [last, graph.ints(-1, hiddenSize)]);
}

/** The norm and the rescale act on each token alone, so both may follow the cut to the last. */
function addHead(graph: GraphBuilder, input: Value, config: T5Config): Value {
  const { tiedHead, vocabularySize, hiddenSize } = config;
  const name = tiedHead ? TOKEN_EMBEDDING : 'lm_head.weight';
  const head = graph.weight(name, [vocabularySize, hiddenSize]);
  return graph.op('Gemm', [input, head], {
    transB: { int: 1 },
    alpha: { float: tiedHead ? hiddenSize ** -0.5 : 1 },
  });
}
