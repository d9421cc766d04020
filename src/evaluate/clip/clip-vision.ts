/** CLIP's vision tower and zero-shot head as an ONNX graph (methods 4.5: cosine times scale). */
import { type ClipConfig, type VisionConfig, visionTokenCount } from './clip-config';
import { addEncoder, addLayerNorm, addLinear, addUnitRows } from './clip-encoder';
import { GraphBuilder, type Value } from '@/evaluate/onnx/graph-builder';

const PREFIX = 'vision_model';

/** A graph and the weights it wants as inputs. */
export interface ClipGraph {
  /** ONNX protobuf. */
  readonly model: Uint8Array;
  /** Names, as in the checkpoint, and shapes. */
  readonly weights: ReadonlyMap<string, readonly number[]>;
}

/**
 * Inputs: `pixel_values` [images, channels, size, size]; `class_head` [classes, projection], rows
 * of unit length; every weight under its safetensors name. Outputs: `logits` [images, classes] =
 * exp(logit_scale) x cosine; `image_embeds` [images, projection], rows of unit length.
 */
export function buildVisionGraph(config: ClipConfig): ClipGraph {
  const { vision, projectionSize } = config;
  const graph = new GraphBuilder('clip_vision');
  const size = vision.imageSize;
  const pixels = graph.input('pixel_values', ['images', vision.channelCount, size, size]);
  const head = graph.input('class_head', ['classes', projectionSize]);
  const tokens = addEmbeddings(graph, pixels, vision);
  const encoded = addEncoder(graph, tokens, vision, {
    prefix: PREFIX,
    tokenCount: visionTokenCount(vision),
    mask: null,
    readout: 'first',
  });
  const pooled = addLayerNorm(graph, encoded, `${PREFIX}.post_layernorm`, vision);
  const projected = addLinear(graph, pooled, 'visual_projection', {
    inSize: vision.hiddenSize,
    outSize: projectionSize,
    bias: false,
  });
  const embeds = addUnitRows(graph, projected);
  const cosines = graph.op('Gemm', [embeds, head], { transB: { int: 1 } });
  const scale = graph.op('Exp', [graph.weight('logit_scale', [])]);
  graph.output('logits', graph.op('Mul', [cosines, scale]), ['images', 'classes']);
  graph.output('image_embeds', embeds, ['images', projectionSize]);
  return { model: graph.build(), weights: graph.weights };
}

/** Patches by a strided convolution, the class token before them, positions, pre-norm. */
function addEmbeddings(graph: GraphBuilder, pixels: Value, vision: VisionConfig): Value {
  const { hiddenSize, patchSize, channelCount } = vision;
  const tokenCount = visionTokenCount(vision);
  const name = `${PREFIX}.embeddings`;
  const kernelShape = [hiddenSize, channelCount, patchSize, patchSize];
  const kernel = graph.weight(`${name}.patch_embedding.weight`, kernelShape);
  const strides = { ints: [patchSize, patchSize] };
  const grid = graph.op('Conv', [pixels, kernel], { strides });
  const columns = graph.op('Reshape', [grid, graph.ints(0, hiddenSize, tokenCount - 1)]);
  const patches = graph.op('Transpose', [columns], { perm: { ints: [0, 2, 1] } });
  const imageCount = graph.op('Shape', [pixels], { start: { int: 0 }, end: { int: 1 } });
  const classShape = graph.op('Concat', [imageCount, graph.ints(1, hiddenSize)], {
    axis: { int: 0 },
  });
  const classWeight = graph.weight(`${name}.class_embedding`, [hiddenSize]);
  const classTokens = graph.op('Expand', [classWeight, classShape]);
  const tokens = graph.op('Concat', [classTokens, patches], { axis: { int: 1 } });
  const positions = graph.weight(`${name}.position_embedding.weight`, [tokenCount, hiddenSize]);
  const rows = graph.op('Reshape', [
    graph.op('Add', [tokens, positions]),
    graph.ints(-1, hiddenSize),
  ]);
  // The misspelling is the checkpoint's.
  return addLayerNorm(graph, rows, `${PREFIX}.pre_layrnorm`, vision);
}
