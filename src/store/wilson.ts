export { type Interval, wilsonInterval, Z_95 } from '@/tensor/statistics/wilson';
