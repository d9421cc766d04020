/** Which way round factors that are stored transposed fit, and what the base tells of tables and layers. */
import { describe, expect, it } from 'vitest';
import { readMlxAdapter } from '@/formats/mlx/read-mlx-adapter';
import { type Entries, tensors } from './adapters.fixture';
import { planAdapters } from './plan-adapters';

const RANK = 2;

/** lora_a [in, rank] and lora_b [rank, out]. */
const factors = (path: string, inputs: number, out: number): Entries => ({
  [`${path}.lora_a`]: [inputs, RANK],
  [`${path}.lora_b`]: [RANK, out],
});

function planned(base: Entries, entries: Entries) {
  const config = { scale: 3, rank: RANK, model: null };
  const adapter = readMlxAdapter({ name: 'task', config, weights: tensors('task', entries) });
  const plan = planAdapters({ base: tensors('base', base), adapters: [adapter] });
  return plan.adapters[0]!.modules.map(({ weight, layer, left, right }) => {
    const told = [left, right].map(({ tensor, vectors }) => `${tensor.name.at(-1)!} ${vectors}`);
    return [weight, layer, ...told];
  });
}

describe('factors of MLX', () => {
  it('lie as they are stored', () => {
    expect(planned({ 'q.weight': [6, 5] }, factors('q', 5, 6))).toEqual([
      ['q.weight', 'linear', 'b rows', 'a columns'],
    ]);
  });

  it('of a square layer are no guess where layers are stored [out, in]', () => {
    const base = { 'q.weight': [4, 4], 'q.bias': [4], 'up.weight': [8, 4], 'up.bias': [8] };
    const plain = [['q.weight', 'linear', 'b rows', 'a columns']];
    expect(planned(base, factors('q', 4, 4))).toEqual(plain);
    expect(planned({ 'q.weight': [4, 4] }, factors('q', 4, 4))).toEqual(plain);
  });

  it('of a square layer are turned where the base stores [in, out], as GPT-2', () => {
    const base = { 'q.weight': [4, 4], 'q.bias': [4], 'up.weight': [4, 8], 'up.bias': [8] };
    expect(planned(base, factors('q', 4, 4))).toEqual([
      ['q.weight', 'conv1d', 'a columns', 'b rows'],
    ]);
    const both = { ...base, 'head.weight': [2, 4], 'head.bias': [2] };
    expect(() => planned(both, factors('q', 4, 4))).toThrow(/"q" is square/);
    // Another layer of the adapter shows it.
    const shown = planned(both, { ...factors('q', 4, 4), ...factors('up', 4, 8) });
    expect(shown.map(([weight, layer]) => [weight, layer])).toEqual([
      ['q.weight', 'conv1d'],
      ['up.weight', 'conv1d'],
    ]);
  });

  it('of a table have a row for each token, be the table square', () => {
    const table = (size: number) =>
      planned({ 'embed_tokens.weight': [size, 4] }, factors('embed_tokens', size, 4));
    const turned = [['embed_tokens.weight', 'embedding', 'a columns', 'b rows']];
    expect(table(9)).toEqual(turned);
    expect(table(4)).toEqual(turned);
  });

  it('of what only its place shows to be a table do not turn square layers', () => {
    const base = { 'positions.weight': [9, 4], 'q.weight': [4, 4] };
    expect(planned(base, { ...factors('positions', 9, 4), ...factors('q', 4, 4) })).toEqual([
      ['positions.weight', 'embedding', 'a columns', 'b rows'],
      ['q.weight', 'linear', 'b rows', 'a columns'],
    ]);
  });

  it('that do not fit are told as the file has them', () => {
    expect(() => planned({ 'q.weight': [6, 5] }, factors('q', 7, 6))).toThrow(
      /lora_a \[7, 2\] and lora_b \[2, 6\] make no update of "q\.weight" \[6, 5\]/,
    );
  });
});
