/** What the report says in words. Pure. */
import { type ExpectedTime, type MemoryReport, type Preflight } from '@/store/sources/preflight';
import { type StartState } from '@/store/sources/start-state';
import { bytes, count, inText, percent, roughTime, shortCount, taskCount } from './format';

/** `Merge 8 fine-tunes of ViT-B/32: 199 tensors, 87.5 M parameters.` */
export function headline({ kind, checkpoints, tensors }: Preflight): string {
  if (kind === 'loras') {
    const files = plural(checkpoints.length, 'LoRA file');
    return `Open ${inText(files)} without a base: ${inText(plural(tensors.mergedTensors, 'module'))} in all.`;
  }
  const isAdapters = kind === 'adapters';
  const base = checkpoints.find(({ role }) => role === 'base')?.name ?? 'their base';
  const tasks = checkpoints.filter(({ role }) => role === 'task').length;
  const noun = isAdapters ? 'adapted weight' : 'tensor';
  const what = `${inText(taskCount(tasks, isAdapters))} of ${base}`;
  const many = plural(tensors.mergedTensors, noun);
  return `Merge ${what}: ${inText(many)}, ${inText(`${shortCount(tensors.mergedElements)} parameters`)}.`;
}

/** `1.12 GB to fetch · about 3 min at …`: what pressing Start sets off. */
export function startText({ bytes: tally }: Preflight, time: ExpectedTime | null): string {
  const { toFetchBytes, keptBytes, neededBytes } = tally;
  const what =
    toFetchBytes > 0
      ? `${bytes(toFetchBytes)} to fetch`
      : `${bytes(neededBytes)} to read from this disk${keptBytes > 0 ? ', nothing to fetch' : ''}`;
  return time === null ? what : `${what} · ${timeText(time)}`;
}

/** `about 3 min at the 42.0 MB a second measured here last time`. */
function timeText({ seconds, rate, from }: ExpectedTime): string {
  const basis =
    from === 'measured'
      ? `at the ${bytes(rate)} a second measured here last time`
      : `on a line of ${Math.round((8 * rate) / 1e6)} Mbit/s`;
  return `about ${roughTime(seconds)} ${basis}`;
}

/** What the way of holding the weights means for the visitor. */
export function modeText({ mode, readsPerByte }: MemoryReport, place: string): string {
  if (mode === 'resident') {
    return `Resident: all weights stay ${place}, and every change of the recipe is computed from there.`;
  }
  const times = Number.isInteger(readsPerByte)
    ? `${readsPerByte}`
    : `about ${readsPerByte.toFixed(1)}`;
  return `Streamed: the merged model stays ${place}; the rest does not fit beside it and is read ${times} times, piece by piece. The numbers are the same, and take longer.`;
}

/** `1.79 GB, 97 % of the plan`. */
export function measuredText(measured: number, { peakBytes }: MemoryReport): string {
  return peakBytes === 0
    ? bytes(measured)
    : `${bytes(measured)}, ${percent(measured / peakBytes, 0)} of the plan`;
}

/** Why Start can not be pressed; empty where it can. */
export function blockedText(state: StartState, preflight: Preflight): string {
  switch (state) {
    case 'ready':
      return '';
    case 'busy':
      return 'Planning anew: the report follows.';
    case 'too-small':
      return tooSmallText(preflight);
    case 'unplanned':
      return 'There is no plan for these choices: change them, or try again.';
  }
}

/** Adapters are neither streamed nor picked by name. */
function tooSmallText({ kind, memory }: Preflight): string {
  const isAdapters = kind !== 'full';
  const least = Math.min(memory.peakBytes, memory.leastBytes);
  const need = `${isAdapters ? 'This' : 'Even streamed, this'} needs ${bytes(roundedUp(least))} of memory in all`;
  const way = isAdapters ? 'give it more' : 'give it more, or leave tensors out';
  return `${need}, and the budget is ${bytes(memory.budgetBytes)}: ${way}.`;
}

/** To the three figures that are shown, so that a budget of just these is enough. */
function roundedUp(size: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, size))) - 2);
  return Math.ceil(size / unit) * unit;
}

/** `1 tensor`, `12 tensors`. */
export function plural(many: number, noun: string): string {
  return `${count(many)} ${noun}${many === 1 ? '' : 's'}`;
}
