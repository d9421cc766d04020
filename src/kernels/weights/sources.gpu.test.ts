import { describe, expect, test } from 'vitest';
import { layoutEntries, reflectBindings } from '@/gpu/reflect';
import { KERNELS } from './sources';

describe.each(Object.values(KERNELS).map((source) => [source.name, source.code] as const))(
  'shader %s',
  (_, code) => {
    const bindings = reflectBindings(code);

    test('uses every binding it declares, inputs before outputs', () => {
      const declared = code.match(/@binding\(\d+\)/g) ?? [];
      expect(bindings.size).toBe(declared.length);
      const buffers = layoutEntries(bindings)
        .sort((a, b) => a.binding - b.binding)
        .map(({ buffer }) => buffer?.type)
        .filter((type) => type !== 'uniform');
      expect(buffers.lastIndexOf('read-only-storage')).toBeLessThan(buffers.indexOf('storage'));
    });

    test('stays within the default limits: 8 storage buffers, one bind group', () => {
      const storage = [...bindings.values()].filter(({ type }) => type !== 'uniform');
      expect(storage.length).toBeLessThanOrEqual(8);
      expect(code).not.toMatch(/@group\([1-9]/);
    });
  },
);

test('refuses a uniform that is no struct of 4-byte scalars', () => {
  const code = `struct Params { size: vec2<u32> }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(1) fn main() { out[0] = params.size.x; }`;
  expect(() => reflectBindings(code)).toThrow('size');
});
