import { describe, expect, test } from 'vitest';
import { layoutEntries, reflectBindings } from '@/gpu/reflect';
import { LOW_RANK_KERNELS } from '@/kernels/low-rank/low-rank-wgsl';
import type { KernelSource } from '@/gpu/pipelines';
import { KERNELS, VALUE_KERNELS } from '@/kernels/weights/wgsl';

const kernels = [KERNELS, VALUE_KERNELS.apply, VALUE_KERNELS.keptWrite, LOW_RANK_KERNELS].flatMap(
  (set): readonly KernelSource[] => Object.values(set),
);

describe.each(kernels)('kernel $name', ({ code }) => {
  const bindings = reflectBindings(code);
  const entries = layoutEntries(bindings);

  test('uses every buffer it declares, each by a number of its own', () => {
    const declared = code.match(/^@group\(0\) @binding\(\d+\)/gm) ?? [];
    expect(bindings.size).toBe(declared.length);
    expect(new Set(entries.map(({ binding }) => binding)).size).toBe(declared.length);
  });

  test('stays within the default limits: 8 storage buffers, one bind group', () => {
    const storage = [...bindings.values()].filter(({ type }) => type !== 'uniform');
    expect(storage.length).toBeLessThanOrEqual(8);
    expect(code).not.toMatch(/@group\([1-9]/);
  });
});

test('refuses a uniform that is no struct of 4-byte scalars', () => {
  const code = `struct Params { size: vec2<u32> }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(1) fn main() { out[0] = params.size.x; }`;
  expect(() => reflectBindings(code)).toThrow('size');
});
