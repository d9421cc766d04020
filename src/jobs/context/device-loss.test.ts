import { expect, it } from 'vitest';
import { deviceLoss } from './device-loss';

it.each([
  ['webgpu', 'device-lost', /GPU was lost.*: it fell out/],
  ['processor', 'worker-stopped', /thread .* ended: it fell out/],
] as const)('says what of %s is gone', async (kind, error, message) => {
  const loss = deviceLoss({ kind, lost: Promise.resolve('it fell out') });
  await expect(loss).rejects.toMatchObject({ kind: error });
  await expect(loss).rejects.toThrow(message);
});
