/** T5's encoder as an ONNX graph: token ids in, what the decoder's cross-attentions see out. */
import { attentionSize, type T5Config } from './t5-config';
import { GraphBuilder, type Value } from '@/evaluate/onnx/graph-builder';
import {
  addEmbeddings,
  addFeedForward,
  addKeysAndValues,
  addPositionBias,
  addRmsNorm,
  addSelfAttention,
  type T5Graph,
} from './t5-layers';

/** Names of the keys and values that decoder layer `index` attends to, in and out of graphs. */
export function sourceNames(index: number): { readonly keys: string; readonly values: string } {
  return { keys: `source_keys_${index}`, values: `source_values_${index}` };
}

/** Of all decoder layers. */
export function allSourceNames(config: T5Config): string[] {
  return Array.from({ length: config.decoderLayerCount }, (_, index) => {
    const { keys, values } = sourceNames(index);
    return [keys, values];
  }).flat();
}

/** Where decoder layer `index` keeps its cross-attention. */
export function crossAttentionName(index: number): string {
  return `decoder.block.${index}.layer.1.EncDecAttention`;
}

/**
 * Inputs: `input_ids` [rows, tokens] int32; `buckets` [tokens, tokens] int32 (`relativeBuckets`);
 * `padding_mask` [rows, 1, 1, tokens] (`paddingHidden`); every weight under its safetensors name.
 * Outputs: `source_keys_I` and `source_values_I` [rows, tokens, heads x head size] for each
 * decoder layer I, which do not depend on the answer and so are made once here rather than at
 * each of its steps; `hidden` [rows x tokens, hidden], the encoder's last state.
 */
export function buildT5EncoderGraph(config: T5Config): T5Graph {
  const graph = new GraphBuilder('t5_encoder');
  const ids = graph.input('input_ids', ['rows', 'tokens'], 'int32');
  const buckets = graph.input('buckets', ['tokens', 'tokens'], 'int32');
  const mask = graph.input('padding_mask', ['rows', 1, 1, 'tokens']);
  const { hidden, attentionShape: shape } = addEmbeddings(graph, ids, config);
  const bias = graph.op('Add', [addPositionBias(graph, buckets, 'encoder', config), mask]);
  let state = hidden;
  for (let index = 0; index < config.encoderLayerCount; index++) {
    const block = `encoder.block.${index}`;
    state = addSelfAttention(graph, state, `${block}.layer.0`, { shape, bias }, config);
    state = addFeedForward(graph, state, `${block}.layer.1`, config);
  }
  const encoded = addRmsNorm(graph, state, 'encoder.final_layer_norm', config);
  addSources(graph, encoded, shape, config);
  graph.output('hidden', encoded, ['rows_x_tokens', config.hiddenSize]);
  return { model: graph.build(), weights: graph.weights };
}

function addSources(graph: GraphBuilder, encoded: Value, shape: Value, config: T5Config): void {
  const sizes = ['rows', 'tokens', attentionSize(config)];
  for (let index = 0; index < config.decoderLayerCount; index++) {
    const names = sourceNames(index);
    const made = addKeysAndValues(graph, encoded, crossAttentionName(index), shape, config);
    graph.output(names.keys, made.keys, sizes);
    graph.output(names.values, made.values, sizes);
  }
}
