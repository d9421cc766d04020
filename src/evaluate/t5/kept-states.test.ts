import { describe, expect, it } from 'vitest';
import { KeptStates } from './kept-states';

const states = (floats: number) => ({ shape: [floats], data: new Float32Array(floats) });
const prompts = (...lengths: number[]) => lengths.map((length) => new Int32Array(length));

describe('states of prompts', () => {
  it('are those of the same prompts only', () => {
    const kept = new KeptStates(100);
    const batch = prompts(2, 3);
    const made = states(4);
    kept.add(batch, made);
    expect(kept.get([...batch])).toBe(made);
    expect(kept.get(batch.slice(0, 1))).toBeNull();
    expect(kept.get(batch.slice(1))).toBeNull();
    expect(kept.get(prompts(2, 3))).toBeNull();
    expect(kept.get([])).toBeNull();
  });

  it('go, the longest unused first, where there is no room', () => {
    const kept = new KeptStates(8);
    const [a, b, c] = [prompts(1), prompts(1), prompts(1)];
    kept.add(a, states(1));
    kept.add(b, states(1));
    kept.get(a);
    kept.add(c, states(1));
    expect([a, b, c].map((batch) => kept.get(batch) !== null)).toEqual([true, false, true]);
  });

  it('are counted once, however often they come, and left where they never fit', () => {
    const kept = new KeptStates(8);
    const [a, b] = [prompts(1), prompts(1)];
    kept.add(a, states(1));
    kept.add(a, states(1));
    kept.add(b, states(1));
    kept.add(prompts(1), states(3));
    expect([a, b].map((batch) => kept.get(batch) !== null)).toEqual([true, true]);
  });
});
