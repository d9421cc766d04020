import { type SparseCompressor } from './method';
import { PERU_PAPER } from './paper';

/** PERU-FFT: theta* + top-m % of u_t = theta_t - theta*, by magnitude. */
export const peruFft: SparseCompressor = {
  title: 'PERU-FFT',
  paper: PERU_PAPER,
  keeps: 'entries',
  center: 'merged',
  isBaseline: false,
  instead: null,
  dependsOn: ['merge', 'scope', 'values'],
};
