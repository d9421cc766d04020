import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { readT5Config, type T5Config } from './t5-config';
import { FLAN_T5_BASE } from '@/evaluate/golden/flan-t5-base';
import { type GraphProto, ModelProtoSchema, TensorProto_DataType } from '@/evaluate/onnx/onnx_pb';
import { buildT5DecoderGraph } from './t5-decoder';
import { buildT5EncoderGraph } from './t5-encoder';
import { allSourceNames, buildT5SourcesGraph } from './t5-sources';
import { type T5Graph } from './t5-layers';

const INT64: number = TensorProto_DataType.INT64;

function parse({ model }: T5Graph): GraphProto {
  return fromBinary(ModelProtoSchema, model).graph!;
}

const BUILDS = [buildT5EncoderGraph, buildT5SourcesGraph, buildT5DecoderGraph];

/** Weights of all graphs; what they share is listed once. */
function allWeights(config: T5Config): Map<string, readonly number[]> {
  return new Map(BUILDS.flatMap((build) => [...build(config).weights]));
}

function parameterCount(weights: ReadonlyMap<string, readonly number[]>, prefix = ''): number {
  return [...weights]
    .filter(([name]) => name.startsWith(prefix))
    .reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

describe('T5 graphs', () => {
  const config = readT5Config(FLAN_T5_BASE);

  it('want every parameter of Flan-T5-base, and hold none', () => {
    const weights = allWeights(config);
    expect(parameterCount(weights)).toBe(247_577_856);
    expect(parameterCount(weights, 'encoder.')).toBe(84_954_240);
    expect(parameterCount(weights, 'decoder.')).toBe(113_275_008);
    for (const graph of BUILDS.map((build) => build(config))) {
      expect(graph.model.byteLength).toBeLessThan(200_000);
      expect(parse(graph).initializer.every(({ dataType }) => dataType === INT64)).toBe(true);
    }
  });

  it('make the keys and values of the prompt once, apart from encoder and decoder', () => {
    const names = allSourceNames(config);
    const [encoder, sources, decoder] = BUILDS.map((build) => build(config));
    expect(names).toHaveLength(2 * 12);
    expect(parse(encoder!).output.map(({ name }) => name)).toEqual(['hidden']);
    expect(parse(sources!).output.map(({ name }) => name)).toEqual(names);
    const inputs = parse(decoder!).input.map(({ name }) => name);
    expect(inputs).toEqual(expect.arrayContaining(names));
    const crossKeys = (graph: T5Graph) =>
      [...graph.weights.keys()].filter((name) => /EncDecAttention\.[kv]\./.test(name)).length;
    expect([encoder, sources, decoder].map((graph) => crossKeys(graph!))).toEqual([0, 2 * 12, 0]);
  });

  it('have one position table a stack', () => {
    const tables = [...allWeights(config)].filter(([name]) => name.includes('relative_attention'));
    expect(tables).toEqual(
      ['encoder', 'decoder'].map((stack) => [
        `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`,
        [32, 12],
      ]),
    );
  });

  it('read logits off the embedding, scaled, only where the head is tied', () => {
    const alphas = (tied: boolean) => {
      const settings = { ...FLAN_T5_BASE, tie_word_embeddings: tied };
      const graph = buildT5DecoderGraph(readT5Config(settings));
      const head = parse(graph).node.findLast(({ opType }) => opType === 'Gemm');
      const alpha = head?.attribute.find(({ name }) => name === 'alpha')?.f;
      return { weight: head?.input[1], alpha };
    };
    expect(alphas(false)).toEqual({ weight: 'lm_head.weight', alpha: 1 });
    expect(alphas(true).weight).toBe('shared.weight');
    expect(alphas(true).alpha).toBeCloseTo(768 ** -0.5, 7);
  });

  it('take one matrix in the plain feed-forward and two in the gated one', () => {
    const wide = (projection: string) => {
      const settings = { ...FLAN_T5_BASE, feed_forward_proj: projection };
      const names = [...allWeights(readT5Config(settings)).keys()];
      return new Set(names.map((name) => /\.(wi\w*)\.weight/.exec(name)?.[1] ?? ''));
    };
    expect(wide('gated-gelu')).toEqual(new Set(['', 'wi_0', 'wi_1']));
    expect(wide('relu')).toEqual(new Set(['', 'wi']));
  });
});
