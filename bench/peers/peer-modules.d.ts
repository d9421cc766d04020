/** The few names of transformers.js that the bench uses; it is installed outside this project. */
declare module 'peer:transformers' {
  export class Tensor {
    constructor(type: 'float32', data: Float32Array, dims: readonly number[]);
    readonly data: Float32Array;
  }

  interface VisionModel {
    (inputs: { pixel_values: Tensor }): Promise<{ image_embeds: Tensor }>;
    dispose(): Promise<unknown>;
  }

  export const CLIPVisionModelWithProjection: {
    from_pretrained(
      id: string,
      options: { device: 'wasm' | 'webgpu'; dtype: 'fp32' },
    ): Promise<VisionModel>;
  };

  export const env: {
    readonly version: string;
    allowLocalModels: boolean;
    allowRemoteModels: boolean;
    localModelPath: string;
    useBrowserCache: boolean;
    useWasmCache: boolean;
    readonly backends: {
      readonly onnx: {
        readonly wasm: { numThreads: number; wasmPaths: { mjs: string; wasm: string } };
      };
    };
  };
}
