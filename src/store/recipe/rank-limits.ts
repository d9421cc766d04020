/** How far ranks can go in an open group, whatever its kind. Pure. */
import { type AdapterContents } from '@/export/adapter/adapter-contents';
import { type LoraContents } from '@/export/lora/lora-contents';
import { loraTripletBytes } from '@/export/lora/triplet-bytes';
import { type LoraChoices } from '@/recipe/lora-choices';
import { fullTripletBytes, leastTripletBytes } from './low-rank';

export interface RankLimits {
  /** No module has more triplets. */
  readonly maxRank: number;
  /** Of one triplet in each module of each task, and of all there are. */
  readonly leastBytes: number;
  readonly fullBytes: number;
}

export function adapterLimits(contents: AdapterContents): RankLimits {
  return {
    maxRank: contents.maxRank,
    leastBytes: leastTripletBytes(contents),
    fullBytes: fullTripletBytes(contents),
  };
}

/** The sum of files has their ranks together. */
export function loraLimits(
  { files, maxRank, maxRankOfAll }: LoraContents,
  { make }: Pick<LoraChoices, 'make'>,
): RankLimits {
  let [leastBytes, fullBytes] = [0, 0];
  for (const factor of files.flatMap(({ factors }) => factors)) {
    const { rank, rows, columns } = factor;
    const bytes = loraTripletBytes(factor);
    leastBytes += bytes;
    fullBytes += bytes * Math.min(rank, rows, columns);
  }
  return { maxRank: make === 'one' ? maxRankOfAll : maxRank, leastBytes, fullBytes };
}
