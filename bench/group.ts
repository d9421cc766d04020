/** A group of made-up F16 checkpoints with real shapes. */
import { type Engine, type WeightGroup } from '@/tensor/engine';
import { encodeFloats } from '@/tensor/half';
import { type Chunk, flatLayout, planChunks } from '@/tensor/layout';
import { vitShapes, type VitConfig } from './vit-shapes';

/** Elements of the pattern that fills a checkpoint; odd, so that it meets tensors askew. */
const PATTERN_ELEMENTS = 1_000_003;

/** Uploads a base and its fine-tunes: sigma 0.02, moved by sigma 0.001 or so. */
export function benchGroup(engine: Engine, config: VitConfig, taskCount: number) {
  const layout = flatLayout(vitShapes(config));
  const limit = engine.maxChunkElements(taskCount);
  const chunks = planChunks(layout, taskCount + 1, () => 'F16', limit);
  const group = engine.createGroup({ layout, chunks, taskCount });
  const base = noise(1, 0.02);
  for (let checkpoint = 0; checkpoint <= taskCount; checkpoint++) {
    const moved = checkpoint === 0 ? null : noise(checkpoint + 1, 0.001);
    const values = moved ? base.map((value, i) => value + moved[i]!) : base;
    const pattern = encodeFloats(values, 'F16');
    for (const chunk of chunks) upload(group, checkpoint, chunk, pattern);
  }
  return { group, layout, chunks };
}

function upload(group: WeightGroup, checkpoint: number, chunk: Chunk, pattern: Uint8Array): void {
  const bytes = new Uint8Array(2 * chunk.elementCount);
  const phase = (2 * chunk.flatStart) % pattern.length;
  for (let at = -phase; at < bytes.length; at += pattern.length) {
    const skip = Math.max(0, -at);
    bytes.set(pattern.subarray(skip, Math.min(pattern.length, bytes.length - at)), at + skip);
  }
  group.upload(checkpoint, chunk.index, bytes);
}

/** Nearly normal numbers (sum of three uniform ones), the same for the same seed. */
function noise(seed: number, sigma: number): Float32Array {
  let state = seed * 0x9e37_79b9;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  return Float32Array.from(
    { length: PATTERN_ELEMENTS },
    () => sigma * (uniform() + uniform() + uniform()),
  );
}
