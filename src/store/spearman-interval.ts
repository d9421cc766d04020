export { spearmanInterval } from '@/tensor/statistics/spearman-interval';
