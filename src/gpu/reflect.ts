/** What a kernel binds, read from its WGSL, so that no offset or binding number stands twice. */
import {
  makeBindGroupLayoutDescriptors,
  makeShaderDataDefinitions,
  type StructDefinition,
  type TypeDefinition,
} from 'webgpu-utils';

const FIELD_BYTES = 4;

export interface Binding {
  readonly binding: number;
  readonly type: GPUBufferBindingType;
  /** Uniforms: fields of the struct in order, 4 bytes each. Storage: empty. */
  readonly fields: readonly string[];
}

/** Bindings by variable name. */
export type Bindings = ReadonlyMap<string, Binding>;

/**
 * The buffers of group 0 that the entry point `main` uses.
 *
 * @throws Error when a uniform is no struct of 4-byte scalars
 */
export function reflectBindings(code: string): Bindings {
  const definitions = makeShaderDataDefinitions(code);
  const pipeline = { compute: { entryPoint: 'main' } };
  const [layout] = makeBindGroupLayoutDescriptors(definitions, pipeline);
  const types = new Map<number, GPUBufferBindingType>();
  for (const { binding, buffer } of layout?.entries ?? []) {
    types.set(binding, buffer?.type ?? 'uniform'); // WebGPU's default
  }
  const bindings = new Map<string, Binding>();
  const variables = { ...definitions.uniforms, ...definitions.storages };
  for (const [name, { binding, typeDefinition }] of Object.entries(variables)) {
    const type = types.get(binding);
    if (type === undefined) continue;
    const fields = type === 'uniform' ? scalarFields(name, typeDefinition) : [];
    bindings.set(name, { binding, type, fields });
  }
  return bindings;
}

/** The entries of the bind group layout. */
export function layoutEntries(bindings: Bindings): GPUBindGroupLayoutEntry[] {
  return [...bindings.values()].map(({ binding, type }) => ({
    binding,
    visibility: GPUShaderStage.COMPUTE,
    buffer: { type },
  }));
}

function scalarFields(name: string, definition: TypeDefinition): string[] {
  if (!('fields' in definition)) throw new Error(`The uniform ${name} is no struct.`);
  const fields = Object.entries((definition as StructDefinition).fields);
  fields.forEach(([field, { offset, type }], i) => {
    if (offset === FIELD_BYTES * i && type.size === FIELD_BYTES) return;
    throw new Error(`The uniform ${name} has a field that is no 4-byte scalar: ${field}`);
  });
  return fields.map(([field]) => field);
}
