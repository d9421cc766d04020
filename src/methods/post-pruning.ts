import { type SparseCompressor } from './method';
import { PERU_PAPER } from './paper';

/**
 * The baseline PERU-FFT is compared with: theta_0 + top-m % of theta_t - theta_0. The same budget
 * a task, spent around the pretrained model instead of the merged one.
 */
export const postPruning: SparseCompressor = {
  title: 'Post-Pruning',
  paper: PERU_PAPER,
  keeps: 'entries',
  center: 'base',
  isBaseline: true,
  instead: 'Post-Pruning adds as many entries to the pretrained one instead.',
  dependsOn: ['scope', 'values'],
};
