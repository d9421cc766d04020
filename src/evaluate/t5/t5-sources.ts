/**
 * What the decoder's cross-attentions see, as an ONNX graph: the encoder's states in, keys and values
 * out. They do not depend on the answer, and so are made once rather than at each of its steps; apart
 * from the encoder, whose states serve every model that has its weights.
 */
import { attentionSize, type T5Config } from './t5-config';
import { GraphBuilder } from '@/evaluate/onnx/graph-builder';
import { addKeysAndValues, type T5Graph } from './t5-layers';

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
 * Inputs: the encoder's `hidden` [rows, tokens, hidden]; every weight under its safetensors name.
 * Outputs: `source_keys_I` and `source_values_I` [rows, tokens, heads x head size] for each
 * decoder layer I.
 */
export function buildT5SourcesGraph(config: T5Config): T5Graph {
  const graph = new GraphBuilder('t5_sources');
  const { hiddenSize, decoderLayerCount } = config;
  const hidden = graph.input('hidden', ['rows', 'tokens', hiddenSize]);
  const states = graph.op('Reshape', [hidden, graph.ints(-1, hiddenSize)]);
  const rowsAndTokens = graph.op('Shape', [hidden], { end: { int: 2 } });
  const shapes = [rowsAndTokens, graph.ints(attentionSize(config))];
  const shape = graph.op('Concat', shapes, { axis: { int: 0 } });
  const sizes = ['rows', 'tokens', attentionSize(config)];
  for (let index = 0; index < decoderLayerCount; index++) {
    const names = sourceNames(index);
    const made = addKeysAndValues(graph, states, crossAttentionName(index), shape, config);
    graph.output(names.keys, made.keys, sizes);
    graph.output(names.values, made.values, sizes);
  }
  return { model: graph.build(), weights: graph.weights };
}
