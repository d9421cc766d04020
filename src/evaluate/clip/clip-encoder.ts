/**
 * The pre-norm transformer that both CLIP towers share (transformers, modeling_clip.py):
 *
 *     x += out(attention(q, k, v of LN1 x));  x += fc2(act(fc1(LN2 x)))
 *
 * Between attentions all tokens of all sequences lie in one matrix [sequences x tokens, hidden],
 * so that every linear layer is a single Gemm. torch keeps weights as [out, in]: transB.
 */
import { type TowerConfig } from './clip-config';
import { type GraphBuilder, type Value } from '@/evaluate/onnx/graph-builder';

/** quick_gelu(x) = x * sigmoid(1.702 x). */
const QUICK_GELU_ALPHA = 1.702;

/** How the encoder sits in its graph. */
export interface EncoderPlace {
  /** First part of the weights' names: `vision_model` or `text_model`. */
  readonly prefix: string;
  /** Tokens of every sequence. */
  readonly tokenCount: number;
  /** Additive attention mask [1, 1, tokens, tokens], or null where every token sees every other. */
  readonly mask: Value | null;
  /**
   * Which tokens come out. `first` computes queries, output and MLP of the last layer for token 0
   * alone: the same values at a fraction of that layer's work.
   */
  readonly readout: 'first' | 'all';
}

/** Adds all layers to `input` [sequences x tokens, hidden]; the value has a row a token read out. */
export function addEncoder(
  graph: GraphBuilder,
  input: Value,
  tower: TowerConfig,
  place: EncoderPlace,
): Value {
  let hidden = input;
  for (let index = 0; index < tower.layerCount; index++) {
    const firstOnly = place.readout === 'first' && index === tower.layerCount - 1;
    hidden = addLayer(graph, hidden, tower, { ...place, index, firstOnly });
  }
  return hidden;
}

/** x W^T + b with `name.weight` [outSize, inSize] and, unless `bias` is false, `name.bias`. */
export function addLinear(
  graph: GraphBuilder,
  input: Value,
  name: string,
  sizes: { readonly inSize: number; readonly outSize: number; readonly bias?: boolean },
): Value {
  const { inSize, outSize, bias = true } = sizes;
  const inputs = [input, graph.weight(`${name}.weight`, [outSize, inSize])];
  if (bias) inputs.push(graph.weight(`${name}.bias`, [outSize]));
  return graph.op('Gemm', inputs, { transB: { int: 1 } });
}

/** Layer normalisation over the last axis with `name.weight` and `name.bias`. */
export function addLayerNorm(
  graph: GraphBuilder,
  input: Value,
  name: string,
  tower: TowerConfig,
): Value {
  const size = [tower.hiddenSize];
  const inputs = [input, graph.weight(`${name}.weight`, size), graph.weight(`${name}.bias`, size)];
  return graph.op('LayerNormalization', inputs, { epsilon: { float: tower.layerNormEpsilon } });
}

/** Rows of a matrix scaled to unit length: x / sqrt(sum x^2). */
export function addUnitRows(graph: GraphBuilder, input: Value): Value {
  const squares = graph.op('Mul', [input, input]);
  const norms = graph.op('Sqrt', [graph.op('ReduceSum', [squares, graph.ints(1)])]);
  return graph.op('Div', [input, norms]);
}

interface LayerPlace extends EncoderPlace {
  readonly index: number;
  readonly firstOnly: boolean;
}

function addLayer(graph: GraphBuilder, input: Value, tower: TowerConfig, place: LayerPlace): Value {
  const name = `${place.prefix}.encoder.layers.${place.index}`;
  const { hiddenSize, intermediateSize } = tower;
  const attended = addAttention(
    graph,
    addLayerNorm(graph, input, `${name}.layer_norm1`, tower),
    tower,
    { ...place, name: `${name}.self_attn` },
  );
  const residual = place.firstOnly ? addFirstTokens(graph, input, tower, place) : input;
  const middle = graph.op('Add', [residual, attended]);
  const normed = addLayerNorm(graph, middle, `${name}.layer_norm2`, tower);
  const wide = addLinear(graph, normed, `${name}.mlp.fc1`, {
    inSize: hiddenSize,
    outSize: intermediateSize,
  });
  const narrow = addLinear(graph, addActivation(graph, wide, tower), `${name}.mlp.fc2`, {
    inSize: intermediateSize,
    outSize: hiddenSize,
  });
  return graph.op('Add', [middle, narrow]);
}

function addAttention(
  graph: GraphBuilder,
  input: Value,
  tower: TowerConfig,
  place: LayerPlace & { readonly name: string },
): Value {
  const { hiddenSize, headCount } = tower;
  const square = { inSize: hiddenSize, outSize: hiddenSize };
  const project = (from: Value, which: 'q' | 'k' | 'v', tokenCount: number): Value => {
    const projected = addLinear(graph, from, `${place.name}.${which}_proj`, square);
    return graph.op('Reshape', [projected, graph.ints(-1, tokenCount, hiddenSize)]);
  };
  const asking = place.firstOnly ? addFirstTokens(graph, input, tower, place) : input;
  const inputs = [
    project(asking, 'q', place.firstOnly ? 1 : place.tokenCount),
    project(input, 'k', place.tokenCount),
    project(input, 'v', place.tokenCount),
  ];
  // The mask is the sixth input; bias and key padding before it stay absent.
  if (place.mask !== null) inputs.push('', '', place.mask);
  // Scores are scaled by head size^-0.5, the operator's default.
  const mixed = graph.contrib('MultiHeadAttention', inputs, { num_heads: { int: headCount } });
  const rows = graph.op('Reshape', [mixed, graph.ints(-1, hiddenSize)]);
  return addLinear(graph, rows, `${place.name}.out_proj`, square);
}

/** Row 0 of every sequence: [sequences x tokens, hidden] -> [sequences, hidden]. */
function addFirstTokens(
  graph: GraphBuilder,
  rows: Value,
  tower: TowerConfig,
  place: EncoderPlace,
): Value {
  const shape = graph.ints(-1, place.tokenCount * tower.hiddenSize);
  const sequences = graph.op('Reshape', [rows, shape]);
  const [from, to, axis] = [graph.ints(0), graph.ints(tower.hiddenSize), graph.ints(1)];
  return graph.op('Slice', [sequences, from, to, axis]);
}

function addActivation(graph: GraphBuilder, input: Value, tower: TowerConfig): Value {
  return tower.activation === 'gelu'
    ? graph.contrib('Gelu', [input])
    : graph.contrib('QuickGelu', [input], { alpha: { float: QUICK_GELU_ALPHA } });
}
