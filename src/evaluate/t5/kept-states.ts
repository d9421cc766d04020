/** What an encoder that all models share made of prompts, kept for the next model. */
import { type FeedData } from '@/evaluate/runtime/graph-session';

/** States of prompts, float32 in memory. */
export interface States extends FeedData {
  readonly data: Float32Array;
}

interface Kept {
  readonly prompts: readonly Int32Array[];
  readonly states: States;
}

/** The batches last asked for, as many as there is room for. */
export class KeptStates {
  readonly #roomBytes: number;
  /** By the first prompt; the one used last comes last. */
  readonly #kept = new Map<Int32Array, Kept>();
  #bytes = 0;

  /** @param roomBytes what may be kept */
  constructor(roomBytes: number) {
    this.#roomBytes = roomBytes;
  }

  /** Of just these prompts, the same arrays in this order; null where they are not kept. */
  get(prompts: readonly Int32Array[]): States | null {
    const [first] = prompts;
    const kept = first && this.#kept.get(first);
    if (kept === undefined || !areSame(kept.prompts, prompts)) return null;
    this.#kept.delete(first!);
    this.#kept.set(first!, kept);
    return kept.states;
  }

  /** Keeps them; what was used longest ago goes. */
  add(prompts: readonly Int32Array[], states: States): void {
    const [first] = prompts;
    if (first === undefined || states.data.byteLength > this.#roomBytes) return;
    this.#drop(first);
    this.#kept.set(first, { prompts, states });
    this.#bytes += states.data.byteLength;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#roomBytes) return;
      this.#drop(oldest);
    }
  }

  #drop(first: Int32Array): void {
    this.#bytes -= this.#kept.get(first)?.states.data.byteLength ?? 0;
    this.#kept.delete(first);
  }
}

function areSame(a: readonly Int32Array[], b: readonly Int32Array[]): boolean {
  return a.length === b.length && a.every((prompt, i) => prompt === b[i]);
}
