/**
 * One operation over a group's chunks. Where all weights are there its steps become one submission;
 * where they are streamed, one a chunk, since its pages may go before the next.
 */
import { type DeviceHandle } from '@/gpu/device';
import { withErrorScopes } from '@/gpu/error-scopes';
import { readBack, type ReadRange } from '@/gpu/readback';
import { PassRecorder } from '@/gpu/recorder';
import { type GroupSpec } from '@/tensor/engine';
import { type Wanted } from '@/tensor/page-stream';
import { type GroupWeights } from './chunk-buffers';

/** Work on every chunk, with the weights of `checkpoints`; or once, between such. */
export type Step =
  | {
      readonly checkpoints: readonly number[];
      readonly each: (recorder: PassRecorder, chunkIndex: number) => void;
      /** Chunks that streaming may leave out, because kernels would return at once there. */
      readonly wanted?: Wanted;
    }
  | { readonly once: (recorder: PassRecorder) => void };

export interface Work {
  readonly steps: readonly Step[];
  /** What to read back in the end; default: nothing. */
  readonly ranges?: readonly ReadRange[];
}

export interface WorkContext {
  readonly handle: DeviceHandle;
  readonly spec: Pick<GroupSpec, 'chunks'>;
  readonly weights: GroupWeights;
}

/**
 * Steps of several operations as those of one: the first of all, then the second of all, and so on,
 * so that each chunk is visited once for all.
 *
 * @param lists of equal length; steps at one place are of one kind, for the same checkpoints and for
 *   every chunk
 */
export function zipSteps(lists: readonly (readonly Step[])[]): Step[] {
  const [first = []] = lists;
  return first.map((_, i) => together(lists.map((list) => list[i]!)));
}

function together(steps: readonly Step[]): Step {
  const once = steps.filter((step) => 'once' in step);
  const each = steps.filter((step) => 'each' in step);
  if (each[0]) {
    return {
      checkpoints: each[0].checkpoints,
      each: (recorder, chunkIndex) => {
        for (const step of each) step.each(recorder, chunkIndex);
      },
    };
  }
  return {
    once: (recorder) => {
      for (const step of once) step.once(recorder);
    },
  };
}

/**
 * Runs an operation and reads back what it names.
 *
 * @param what for messages, e.g. "merging"
 * @param label of the passes
 * @param plan creates and clears buffers and says what to do; runs first, where errors are caught
 * @throws PeruError `out-of-memory`, `device-lost` or `internal`; what reading weights rejects with
 */
export async function runWork(
  context: WorkContext,
  what: string,
  label: string,
  plan: (recorder: PassRecorder) => Work,
): Promise<ArrayBuffer[]> {
  return context.weights.streamed
    ? runStreamed(context, what, label, plan)
    : runResident(context, what, label, plan);
}

function runResident(
  { handle, spec }: WorkContext,
  what: string,
  label: string,
  plan: (recorder: PassRecorder) => Work,
): Promise<ArrayBuffer[]> {
  return readBack(handle, what, () => {
    const recorder = new PassRecorder(handle, label);
    const { steps, ranges = [] } = plan(recorder);
    for (const step of steps) {
      if ('once' in step) step.once(recorder);
      else for (const { index } of spec.chunks) step.each(recorder, index);
    }
    recorder.endPass();
    return { encoder: recorder.encoder, ranges };
  });
}

async function runStreamed(
  { handle, weights }: WorkContext,
  what: string,
  label: string,
  plan: (recorder: PassRecorder) => Work,
): Promise<ArrayBuffer[]> {
  const submit = <T>(record: (recorder: PassRecorder) => T): Promise<T> =>
    withErrorScopes(handle, what, () => {
      const recorder = new PassRecorder(handle, label);
      const result = record(recorder);
      recorder.submit();
      return result;
    });
  const { steps, ranges = [] } = await submit(plan);
  for (const step of steps) {
    if ('once' in step) {
      await submit(step.once);
      continue;
    }
    for await (const chunkIndex of weights.walk(step.checkpoints, step.wanted)) {
      await submit((recorder) => {
        step.each(recorder, chunkIndex);
      });
    }
  }
  if (ranges.length === 0) return [];
  return readBack(handle, what, () => {
    const { encoder } = new PassRecorder(handle, label);
    return { encoder, ranges };
  });
}
