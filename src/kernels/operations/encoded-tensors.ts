/**
 * Puts tensors together from the blocks that shaders/kept_write.wgsl encoded. What lies between the
 * last entry of one block and the first of the next is written here: it may cross chunks, and
 * be millions of elements long.
 */
import { invariantError } from '@/core/errors';
import { gapSkips, SKIP } from '@/codecs/gaps';
import { type KeptScales } from '@/codecs/value-codec';
import { type EncodedTensor } from '@/tensor/engine';

/** One block's kept entries, at least one. */
export interface EncodedBlock {
  readonly tensor: number;
  readonly kept: number;
  /** Positions of the first and the last in the tensor. */
  readonly first: number;
  readonly last: number;
  readonly values: Uint8Array<ArrayBuffer>;
  /** Distances, but for the first entry's, whose byte is not written yet. */
  readonly gaps: Uint8Array<ArrayBuffer>;
}

export class EncodedTensors {
  private blocks: EncodedBlock[] = [];

  constructor(private readonly kept: KeptScales) {}

  /** Takes the next block; gives the tensor before, where that was its last. */
  *add(block: EncodedBlock): Generator<EncodedTensor> {
    const tensor = this.blocks[0]?.tensor ?? block.tensor;
    if (block.tensor < tensor)
      throw invariantError(`Tensor ${block.tensor} was encoded after ${tensor}.`);
    if (block.tensor > tensor) yield* this.finish();
    this.blocks.push(block);
  }

  /** Gives the last tensor, if there is one. */
  *finish(): Generator<EncodedTensor> {
    const [first] = this.blocks;
    if (!first) return;
    const blocks = this.blocks;
    this.blocks = [];
    const { tensor } = first;
    yield {
      tensor,
      kept: blocks.reduce((sum, { kept }) => sum + kept, 0),
      gaps: joinGaps(blocks),
      values: joinValues(blocks),
      scale: this.kept.scales?.[tensor]?.step ?? null,
      gain: this.kept.gains?.[tensor] ?? 1,
    };
  }
}

function joinValues(blocks: readonly EncodedBlock[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(blocks.reduce((sum, { values }) => sum + values.length, 0));
  let at = 0;
  for (const { values } of blocks) {
    joined.set(values, at);
    at += values.length;
  }
  return joined;
}

function joinGaps(blocks: readonly EncodedBlock[]): Uint8Array<ArrayBuffer> {
  // The first position counts from -1.
  const distances = blocks.map(({ first }, b) => first - (b === 0 ? -1 : blocks[b - 1]!.last));
  const skips = distances.map(gapSkips);
  const byteLength = blocks.reduce((sum, { gaps }, b) => sum + gaps.length + skips[b]!, 0);
  const joined = new Uint8Array(byteLength);
  let at = 0;
  blocks.forEach(({ gaps }, b) => {
    joined.fill(SKIP, at, at + skips[b]!);
    at += skips[b]!;
    joined.set(gaps, at);
    joined[at] = distances[b]! % SKIP;
    at += gaps.length;
  });
  return joined;
}
