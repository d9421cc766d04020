/** What both evaluators are given, and what is asked of them. */

export interface EvaluationCase {
  /** Folder of the model. */
  readonly name: string;
  readonly provider: 'wasm' | 'webgpu';
  readonly threads: number;
  /** Images a run of the model, at most. */
  readonly batch: number;
  readonly imageCount: number;
  /** Pixels on a side. */
  readonly imageSize: number;
  /** [imageCount, 3, imageSize, imageSize], preprocessed. */
  readonly pixels: Float32Array;
}

export interface Contender {
  readonly name: string;
  /** Embeddings of all images, one row an image, of any length. */
  embed(): Promise<Float32Array>;
  dispose(): Promise<void>;
}
