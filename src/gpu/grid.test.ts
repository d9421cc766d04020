import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldGrid } from '@/gpu/grid';

test('folded grids cover every workgroup, keep the limit, and waste less than a row', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65_535 }), fc.nat(2 ** 31), (limit, wanted) => {
      const groups = Math.min(wanted, limit * limit);
      const [x, y] = foldGrid(groups, limit);
      expect(Math.max(x, y)).toBeLessThanOrEqual(limit);
      expect(x * y).toBeGreaterThanOrEqual(groups);
      expect(x * y - groups).toBeLessThan(Math.max(x, y));
    }),
  );
});
