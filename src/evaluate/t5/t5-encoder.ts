/** T5's encoder as an ONNX graph: token ids in, their last states out. */
import { type T5Config } from './t5-config';
import { GraphBuilder } from '@/evaluate/onnx/graph-builder';
import {
  addEmbeddings,
  addFeedForward,
  addPositionBias,
  addRmsNorm,
  addSelfAttention,
  type T5Graph,
} from './t5-layers';

/**
 * Inputs: `input_ids` [rows, tokens] int32; `buckets` [tokens, tokens] int32 (`relativeBuckets`);
 * `padding_mask` [rows, 1, 1, tokens] (`paddingHidden`); every weight under its safetensors name.
 * Output: `hidden` [rows, tokens, hidden], normed.
 */
export function buildT5EncoderGraph(config: T5Config): T5Graph {
  const graph = new GraphBuilder('t5_encoder');
  const ids = graph.input('input_ids', ['rows', 'tokens'], 'int32');
  const buckets = graph.input('buckets', ['tokens', 'tokens'], 'int32');
  const mask = graph.input('padding_mask', ['rows', 1, 1, 'tokens']);
  const { hidden, attentionShape } = addEmbeddings(graph, ids, config);
  const bias = graph.op('Add', [addPositionBias(graph, buckets, 'encoder', config), mask]);
  let state = hidden;
  for (let index = 0; index < config.encoderLayerCount; index++) {
    const block = `encoder.block.${index}`;
    state = addSelfAttention(
      graph,
      state,
      `${block}.layer.0`,
      { shape: attentionShape, bias },
      config,
    );
    state = addFeedForward(graph, state, `${block}.layer.1`, config);
  }
  const encoded = addRmsNorm(graph, state, 'encoder.final_layer_norm', config);
  const sizes = [graph.op('Shape', [ids]), graph.ints(config.hiddenSize)];
  const shape = graph.op('Concat', sizes, { axis: { int: 0 } });
  graph.output('hidden', graph.op('Reshape', [encoded, shape]), [
    'rows',
    'tokens',
    config.hiddenSize,
  ]);
  return { model: graph.build(), weights: graph.weights };
}
