import { type JobEvent } from '@/protocol/events';
import { type ChosenEngine } from './platform';

/** What the page is told: what computes and why, and what scores. */
export function engineEvent(
  { engine, noGpu, passedOver }: ChosenEngine,
  evaluator: string,
): JobEvent {
  const { kind, adapter } = engine;
  return {
    ...{ type: 'engine', engine: kind, adapter, evaluator },
    ...(noGpu && { noGpu }),
    ...(passedOver && { passedOver }),
  };
}
