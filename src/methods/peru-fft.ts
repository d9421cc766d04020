import { type SparseCompressor } from './method';

/** PERU-FFT (arXiv 2310.01886): theta* + top-m % of u_t = theta_t - theta*, by magnitude. */
export const peruFft: SparseCompressor = {
  title: 'PERU-FFT',
  keeps: 'entries',
  center: 'merged',
  isBaseline: false,
  instead: null,
  dependsOn: ['merge', 'scope', 'valueDtype'],
};
