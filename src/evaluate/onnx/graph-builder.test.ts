import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { readClipConfig } from '@/evaluate/clip/clip-config';
import { buildTextGraph, causalMask } from '@/evaluate/clip/clip-text';
import { buildVisionGraph } from '@/evaluate/clip/clip-vision';
import { GraphBuilder } from './graph-builder';
import { type GraphProto, ModelProtoSchema, TensorProto_DataType } from './onnx_pb';

const INT64: number = TensorProto_DataType.INT64;

function parse(model: Uint8Array): GraphProto {
  return fromBinary(ModelProtoSchema, model).graph!;
}

function inputShape(graph: GraphProto, name: string): (number | string)[] | undefined {
  const type = graph.input.find((input) => input.name === name)?.type?.value;
  if (type?.case !== 'tensorType') return undefined;
  return type.value.shape?.dim.map(({ value }) =>
    value.case === 'dimValue' ? Number(value.value) : (value.value ?? ''),
  );
}

describe('GraphBuilder', () => {
  it('writes inputs with known and unknown sizes, nodes in order, and attributes', () => {
    const builder = new GraphBuilder('g');
    const input = builder.input('x', ['n', 3], 'int32');
    const sum = builder.op('ReduceSum', [input, builder.ints(1)], { keepdims: { int: 0 } });
    builder.contrib('QuickGelu', [sum], { alpha: { float: 1.5 } });
    builder.output('y', sum, ['n']);
    const graph = parse(builder.build());
    expect(inputShape(graph, 'x')).toEqual(['n', 3]);
    expect(graph.node.map((node) => [node.domain, node.opType])).toEqual([
      ['', 'ReduceSum'],
      ['com.microsoft', 'QuickGelu'],
      ['', 'Identity'],
    ]);
    expect(graph.node[0]?.attribute[0]).toMatchObject({ name: 'keepdims', i: 0n });
    expect(graph.node[1]?.attribute[0]).toMatchObject({ name: 'alpha', f: 1.5 });
    expect(graph.output.map((output) => output.name)).toEqual(['y']);
  });

  it('shares equal constants and weights', () => {
    const builder = new GraphBuilder('g');
    expect(builder.ints(1, 2)).toBe(builder.ints(1, 2));
    builder.weight('w', [2]);
    builder.weight('w', [2]);
    const graph = parse(builder.build());
    expect(graph.initializer).toHaveLength(1);
    expect(graph.input).toHaveLength(1);
  });
});

describe('CLIP graphs', () => {
  const config = readClipConfig({ model_type: 'clip' });

  it('have every weight of ViT-B/32 as an input of its shape, and none inside', () => {
    const { model, weights } = buildVisionGraph(config);
    const graph = parse(model);
    for (const [name, shape] of weights) expect(inputShape(graph, name)).toEqual(shape);
    const count = (prefix: string) =>
      [...weights]
        .filter(([name]) => name.startsWith(prefix))
        .reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(count('vision_model.')).toBe(87_456_000);
    expect(graph.initializer.every((t) => t.dataType === INT64)).toBe(true);
    // 151,277,313 parameters in all, less the vision tower and its projection, and logit_scale.
    const text = [...buildTextGraph(config, 9).weights.values()];
    const textCount = text.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(textCount).toBe(151_277_313 - 87_456_000 - 512 * 768 - 1);
  });

  it('mask what comes later', () => {
    const mask = causalMask(3);
    expect([...mask].map((value) => value === 0)).toEqual(
      [
        [true, false, false],
        [true, true, false],
        [true, true, true],
      ].flat(),
    );
  });
});
