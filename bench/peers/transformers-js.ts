/** transformers.js on the same model, pixels, provider and number of threads. */
import { CLIPVisionModelWithProjection, env, Tensor } from 'peer:transformers';
import glueUrl from 'peer:onnxruntime/ort-wasm-simd-threaded.asyncify.mjs?url';
import wasmUrl from 'peer:onnxruntime/ort-wasm-simd-threaded.asyncify.wasm?url';
import { type Contender, type EvaluationCase } from './evaluation-case';

/** Opens a model of `modelsUrl`, laid out as on the Hub. */
export async function openTransformersJs(
  evaluation: EvaluationCase,
  modelsUrl: string,
): Promise<Contender> {
  env.allowLocalModels = true;
  env.allowRemoteModels = false;
  env.localModelPath = modelsUrl;
  env.useBrowserCache = false;
  env.useWasmCache = false;
  const { wasm } = env.backends.onnx;
  wasm.numThreads = evaluation.threads;
  // Its own default build, from this server instead of a CDN.
  wasm.wasmPaths = {
    mjs: new URL(glueUrl, location.href).href,
    wasm: new URL(wasmUrl, location.href).href,
  };
  const { name, provider, batch, imageCount, imageSize, pixels } = evaluation;
  const options = { device: provider, dtype: 'fp32' } as const;
  const model = await CLIPVisionModelWithProjection.from_pretrained(name, options);
  const imageLength = 3 * imageSize * imageSize;
  return {
    name: `transformers.js ${env.version}`,
    embed: async () => {
      const rows: number[] = [];
      for (let from = 0; from < imageCount; from += batch) {
        const size = Math.min(batch, imageCount - from);
        const data = pixels.subarray(from * imageLength, (from + size) * imageLength);
        const pixelValues = new Tensor('float32', data, [size, 3, imageSize, imageSize]);
        rows.push(...(await model({ pixel_values: pixelValues })).image_embeds.data);
      }
      return Float32Array.from(rows);
    },
    dispose: async () => {
      await model.dispose();
    },
  };
}
