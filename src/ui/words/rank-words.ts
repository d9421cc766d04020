/** A choice of ranks inside a sentence: `at rank 16`. Pure. */
import { type RankChoice } from '@/store/state/recipe';
import { bytes, inText } from './format';

export function rankWords(rank: RankChoice): string {
  switch (rank.by) {
    case 'count':
      return `at rank ${rank.q}`;
    case 'energy':
      return `cut at ${inText(`${rank.percent} %`)} of each module’s energy`;
    case 'fro':
      return `cut at ${inText(String(rank.share))} of each module’s norm`;
    case 'ratio':
      return `cut at ${inText(`1 / ${rank.ratio}`)} of each module’s largest singular value`;
    case 'bytes':
      return `in ${inText(bytes(rank.budget))} of triplets`;
  }
}
