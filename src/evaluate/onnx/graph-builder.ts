/**
 * A small typed builder over the ONNX protobuf: nodes are added in order, every value has a
 * fresh name, and weights enter as graph inputs, so that one session serves any checkpoint of
 * its architecture. The only constants in a graph are shapes and axes.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as AttributeType,
  type AttributeProto,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProto_DataType as DataType,
  type TensorProto,
  TensorProtoSchema,
  TensorShapeProtoSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb';

/** Opset of the standard operators; com.microsoft has had a single version, 1. */
const OPSET = 17n;
const IR_VERSION = 8n;
const CONTRIB_DOMAIN = 'com.microsoft';

/** Name of a value in the graph: an input, a constant or a node. */
export type Value = string;

/** Sizes of one axis each; a string names a size known only at run time. */
export type SymbolicShape = readonly (number | string)[];

export type Attribute =
  { readonly int: number } | { readonly ints: readonly number[] } | { readonly float: number };

export type Attributes = Readonly<Record<string, Attribute>>;

export type ElementType = 'float32' | 'int32';

const DATA_TYPES: Readonly<Record<ElementType, DataType>> = {
  float32: DataType.FLOAT,
  int32: DataType.INT32,
};

export class GraphBuilder {
  readonly #name: string;
  readonly #nodes: NodeProto[] = [];
  readonly #constants: TensorProto[] = [];
  readonly #inputs = new Map<string, ValueInfoProto>();
  readonly #weights = new Map<string, readonly number[]>();
  readonly #outputs: ValueInfoProto[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  /** Declares a graph input and returns its value. */
  input(name: string, shape: SymbolicShape, type: ElementType = 'float32'): Value {
    if (!this.#inputs.has(name)) this.#inputs.set(name, valueInfo(name, type, shape));
    return name;
  }

  /** A constant 1-D int64 tensor: a shape or a list of axes, never a weight. */
  ints(...values: readonly number[]): Value {
    const name = `ints_${values.join('_')}`;
    if (!this.#constants.some((constant) => constant.name === name)) {
      this.#constants.push(
        create(TensorProtoSchema, {
          name,
          dataType: DataType.INT64,
          dims: [BigInt(values.length)],
          int64Data: values.map(BigInt),
        }),
      );
    }
    return name;
  }

  /** Adds a node of the standard operator set and returns its output. */
  op(opType: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.#add('', opType, inputs, attributes);
  }

  /** Adds a node of onnxruntime's own operators and returns its output. */
  contrib(opType: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.#add(CONTRIB_DOMAIN, opType, inputs, attributes);
  }

  /** Names `value` as a float32 output of the graph. */
  output(name: string, value: Value, shape: SymbolicShape): void {
    this.#nodes.push(
      create(NodeProtoSchema, { opType: 'Identity', input: [value], output: [name] }),
    );
    this.#outputs.push(valueInfo(name, 'float32', shape));
  }

  /**
   * A weight: a float32 graph input of fixed shape. Asking again for the same name is the same
   * input.
   */
  weight(name: string, shape: readonly number[]): Value {
    this.#weights.set(name, shape);
    return this.input(name, shape);
  }

  /** Names and shapes of the weights asked for, in order. */
  get weights(): ReadonlyMap<string, readonly number[]> {
    return this.#weights;
  }

  /** The model as ONNX bytes. */
  build(): Uint8Array {
    const graph = create(GraphProtoSchema, {
      name: this.#name,
      node: this.#nodes,
      initializer: this.#constants,
      input: [...this.#inputs.values()],
      output: this.#outputs,
    });
    const model = create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      producerName: 'peru',
      opsetImport: [
        { domain: '', version: OPSET },
        { domain: CONTRIB_DOMAIN, version: 1n },
      ],
      graph,
    });
    return toBinary(ModelProtoSchema, model);
  }

  #add(domain: string, opType: string, inputs: readonly Value[], attributes: Attributes): Value {
    const name = `${opType}_${this.#nodes.length}`;
    this.#nodes.push(
      create(NodeProtoSchema, {
        name,
        opType,
        domain,
        input: [...inputs],
        output: [name],
        attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
      }),
    );
    return name;
  }
}

function attribute(name: string, value: Attribute): AttributeProto {
  if ('int' in value) {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value.int) });
  }
  if ('ints' in value) {
    const ints = value.ints.map(BigInt);
    return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints });
  }
  return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float });
}

function valueInfo(name: string, type: ElementType, shape: SymbolicShape): ValueInfoProto {
  const dim = shape.map((size) =>
    typeof size === 'number'
      ? { value: { case: 'dimValue' as const, value: BigInt(size) } }
      : { value: { case: 'dimParam' as const, value: size } },
  );
  const tensorType = { elemType: DATA_TYPES[type], shape: create(TensorShapeProtoSchema, { dim }) };
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensorType } }),
  });
}
