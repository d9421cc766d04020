/** CLIP's text tower as an ONNX graph: token ids in, embeddings of unit length out. */
import { type ClipConfig } from './clip-config';
import { addEncoder, addLayerNorm, addLinear, addUnitRows } from './clip-encoder';
import { type ClipGraph } from './clip-vision';
import { GraphBuilder } from '@/evaluate/onnx/graph-builder';

const PREFIX = 'text_model';

/**
 * Inputs: `input_ids` [prompts, tokens] int32; `pool_rows` [prompts] int32, the row of each
 * prompt's end of text in the matrix of all tokens (prompt x tokens + position); `causal_mask`
 * [1, 1, tokens, tokens]; every weight under its safetensors name. Output: `text_embeds`
 * [prompts, projection], rows of unit length.
 *
 * @param tokenCount tokens of every prompt, at most the context length: attention is causal, so
 *   what stands after the end of text is never seen and may be cut off
 */
export function buildTextGraph(config: ClipConfig, tokenCount: number): ClipGraph {
  const { text, projectionSize } = config;
  const { hiddenSize } = text;
  const graph = new GraphBuilder('clip_text');
  const ids = graph.input('input_ids', ['prompts', tokenCount], 'int32');
  const poolRows = graph.input('pool_rows', ['prompts'], 'int32');
  const mask = graph.input('causal_mask', [1, 1, tokenCount, tokenCount]);
  const name = `${PREFIX}.embeddings`;
  const vocabulary = graph.weight(`${name}.token_embedding.weight`, [
    text.vocabularySize,
    hiddenSize,
  ]);
  const allPositions = graph.weight(`${name}.position_embedding.weight`, [
    text.contextLength,
    hiddenSize,
  ]);
  const [from, to, axis] = [graph.ints(0), graph.ints(tokenCount), graph.ints(0)];
  const positions = graph.op('Slice', [allPositions, from, to, axis]);
  const tokens = graph.op('Add', [graph.op('Gather', [vocabulary, ids]), positions]);
  const rows = graph.op('Reshape', [tokens, graph.ints(-1, hiddenSize)]);
  const encoded = addEncoder(graph, rows, text, {
    prefix: PREFIX,
    tokenCount,
    mask,
    readout: 'all',
  });
  // The norm acts on each token alone, so it may follow the pooling.
  const pooled = graph.op('Gather', [encoded, poolRows]);
  const normed = addLayerNorm(graph, pooled, `${PREFIX}.final_layer_norm`, text);
  const projected = addLinear(graph, normed, 'text_projection', {
    inSize: hiddenSize,
    outSize: projectionSize,
    bias: false,
  });
  graph.output('text_embeds', addUnitRows(graph, projected), ['prompts', projectionSize]);
  return { model: graph.build(), weights: graph.weights };
}

/** Additive mask [1, 1, tokens, tokens]: 0 at and before the diagonal, far below 0 after it. */
export function causalMask(tokenCount: number): Float32Array {
  // The smallest float rather than -Infinity: a row of the softmax never becomes NaN.
  const hidden = -3.4028234663852886e38;
  return Float32Array.from({ length: tokenCount * tokenCount }, (_, index) =>
    index % tokenCount > Math.floor(index / tokenCount) ? hidden : 0,
  );
}
