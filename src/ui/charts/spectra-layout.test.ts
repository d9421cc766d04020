import { describe, expect, it } from 'vitest';
import {
  cutLine,
  decadesOf,
  groupModules,
  indexTicks,
  keptArea,
  labelLines,
  LEVELS,
  levelOf,
  levelPaths,
  panelGrid,
} from './spectra-layout';

describe('groupModules', () => {
  it('groups weights that differ only in numbers, blocks in numeric order', () => {
    const names = [
      'decoder.block.0.layer.1.EncDecAttention.q.weight',
      'encoder.block.0.layer.0.SelfAttention.q.weight',
      'encoder.block.10.layer.0.SelfAttention.q.weight',
      'encoder.block.10.layer.0.SelfAttention.v.weight',
      'encoder.block.2.layer.0.SelfAttention.q.weight',
    ];
    const groups = groupModules(names);
    expect(groups.map(({ label }) => label)).toEqual([
      'decoder EncDecAttention q',
      'encoder SelfAttention q',
      'encoder SelfAttention v',
    ]);
    expect(groups[1]?.members).toEqual([
      { module: 1, block: '0' },
      { module: 4, block: '2' },
      { module: 2, block: '10' },
    ]);
    const all = groups.flatMap(({ members }) => members.map(({ module }) => module));
    expect([...all].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('labels a single kind by its last word, and names without numbers too', () => {
    expect(groupModules(['h.0.attn.q.weight', 'h.1.attn.q.weight'])[0]?.label).toBe('q');
    expect(groupModules(['lm_head.weight'])[0]).toEqual({
      label: 'lm_head',
      members: [{ module: 0, block: '' }],
    });
    expect(groupModules([])).toEqual([]);
  });
});

describe('colour', () => {
  it('falls with the logarithm, from the largest to the range the spectra need', () => {
    expect(
      decadesOf([
        [1, 0.5],
        [1, 0.004],
      ]),
    ).toBe(3);
    expect(decadesOf([[1, 0.9]])).toBe(1);
    expect(decadesOf([[1, 1e-9], [0, 0], []])).toBe(4);
    expect(levelOf(5, 5, 3)).toBe(LEVELS - 1);
    expect(levelOf(0.0049, 5, 3)).toBe(0);
    expect(levelOf(0, 0, 3)).toBe(0);
    const levels = [1, 0.5, 0.2, 0.1, 0.01].map((value) => levelOf(value, 1, 2));
    expect(levels).toEqual([...levels].sort((a, b) => b - a));
    expect(new Set(levels).size).toBe(5);
  });

  it('draws every value once, and none for a module without any', () => {
    const paths = levelPaths([[3, 2, 1], [], [5]], { width: 8, height: 6 }, 2);
    expect(paths.join('').match(/M/g)).toHaveLength(4);
    expect(paths.at(-1)).toContain('M0 0h7v5h-7z');
    expect(paths.join('')).not.toContain('M8 ');
  });
});

describe('the cut', () => {
  it('steps from module to module at the ranks kept', () => {
    const cell = { width: 10, height: 5 };
    expect(cutLine([2, 2, 4], cell)).toBe('M0 10H10V10H20V20H30');
    expect(keptArea([2, 0], cell)).toBe('M0 0h10v10h-10zM10 0h10v0h-10z');
  });
});

describe('the panels', () => {
  it('fit the width from a phone to a wide screen, with cells one can see', () => {
    for (const [width, least] of [
      // What the frame leaves of a phone's 360 pixels.
      [302, 2],
      [760, 3],
      [1080, 6],
    ] as const) {
      const grid = panelGrid(6, 16, width);
      expect(grid.perRow).toBeGreaterThanOrEqual(least);
      expect(grid.perRow * grid.stepX).toBeLessThanOrEqual(width + 19);
      expect(grid.innerWidth / 24, '144 modules in six panels').toBeGreaterThanOrEqual(4);
      expect(grid.innerHeight / 16).toBeGreaterThanOrEqual(4);
    }
    expect(panelGrid(1, 256, 320).innerHeight).toBe(256);
  });

  it('are labelled in two lines where one is too short, from the end where even those are', () => {
    const within = (room: number) => (line: string) => line.length <= room;
    expect(labelLines('encoder SelfAttention q', within(40))).toEqual(['encoder SelfAttention q']);
    expect(labelLines('encoder SelfAttention q', within(18))).toEqual([
      'encoder',
      'SelfAttention q',
    ]);
    const long = 'vision_model_tower_of_many words self_attention_projection';
    expect(labelLines(long, within(12))).toEqual(['…_projection']);
    expect(labelLines(long, within(0))).toEqual(['…']);
  });

  it('name the first and the last index and some between, none too close', () => {
    for (const [maxRank, height] of [
      [16, 9],
      [4, 14],
      [64, 2.3],
      [256, 1],
    ] as const) {
      const ticks = indexTicks(maxRank, height, 22);
      expect([ticks[0], ticks.at(-1)]).toEqual([1, maxRank]);
      expect(ticks.length).toBeGreaterThanOrEqual(maxRank > 4 ? 3 : 2);
      ticks.slice(1).forEach((tick, i) => {
        expect((tick - (ticks[i] ?? 0)) * height).toBeGreaterThanOrEqual(22);
      });
    }
    expect(indexTicks(1, 14, 30)).toEqual([1]);
  });
});
