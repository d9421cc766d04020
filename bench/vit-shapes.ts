/** Shapes of CLIP's vision tower, as `CLIPVisionModel` stores it. */

export interface VitConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly image_size: number;
  readonly patch_size: number;
}

/** openai/clip-vit-base-patch32: 199 tensors, 87,456,000 parameters. */
export const VIT_B_32: VitConfig = {
  hidden_size: 768,
  intermediate_size: 3072,
  num_hidden_layers: 12,
  image_size: 224,
  patch_size: 32,
};

/** The same kind of model, 3.9 M parameters. */
export const VIT_QUICK: VitConfig = {
  hidden_size: 384,
  intermediate_size: 1536,
  num_hidden_layers: 2,
  image_size: 224,
  patch_size: 16,
};

interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Every tensor of the tower by name. */
export function vitShapes(config: VitConfig): NamedShape[] {
  const { hidden_size: width, intermediate_size: inner, patch_size: patch } = config;
  const positions = (config.image_size / patch) ** 2 + 1;
  const tensor = (name: string, ...shape: number[]): NamedShape => ({
    name: `vision_model.${name}`,
    shape,
  });
  const affine = (name: string, rows: number, columns?: number): NamedShape[] => [
    tensor(`${name}.weight`, ...(columns === undefined ? [rows] : [rows, columns])),
    tensor(`${name}.bias`, rows),
  ];
  const layers = Array.from({ length: config.num_hidden_layers }, (_, layer) => {
    const at = `encoder.layers.${layer}`;
    return [
      ...['q', 'k', 'v', 'out'].flatMap((p) => affine(`${at}.self_attn.${p}_proj`, width, width)),
      ...affine(`${at}.layer_norm1`, width),
      ...affine(`${at}.mlp.fc1`, inner, width),
      ...affine(`${at}.mlp.fc2`, width, inner),
      ...affine(`${at}.layer_norm2`, width),
    ];
  });
  return [
    tensor('embeddings.class_embedding', width),
    tensor('embeddings.patch_embedding.weight', width, 3, patch, patch),
    tensor('embeddings.position_embedding.weight', positions, width),
    ...affine('pre_layrnorm', width),
    ...layers.flat(),
    ...affine('post_layernorm', width),
  ];
}
