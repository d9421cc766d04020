import { expect, test } from 'vitest';
import { BufferOwner } from './buffers';

const MIB = 2 ** 20;
const USAGE = 128;

/** An owner on a device that only counts. */
function countingOwner(software: boolean) {
  const counts = { created: 0, destroyed: 0 };
  const createBuffer = ({ label, size, usage }: GPUBufferDescriptor): GPUBuffer => {
    counts.created++;
    const destroy = (): void => {
      counts.destroyed++;
    };
    return { label, size, usage, destroy } as unknown as GPUBuffer;
  };
  const limits = { maxBufferSize: 256 * MIB } as GPUSupportedLimits;
  return { owner: new BufferOwner({ createBuffer, limits }, software), counts };
}

test("one model's float32 weights wait for reuse on a GPU", () => {
  const { owner, counts } = countingOwner(false);
  const tensorBytes = Array.from({ length: 35 }, (_, i) => 10_000_000 + 16 * i); // 350 MB
  const tensors = owner.scope();
  for (const bytes of tensorBytes) tensors.create('weights', bytes, USAGE);
  tensors.release();
  for (const bytes of tensorBytes) tensors.create('weights', bytes, USAGE);
  expect(counts).toEqual({ created: 35, destroyed: 0 });
});

test.each([
  [false, 512],
  [true, 256],
])('what waits on a device (software: %s) stays below %i MiB', (software, most) => {
  const { owner } = countingOwner(software);
  const scope = owner.scope();
  for (let i = 0; i < 40; i++) scope.create('part', 32 * MIB, USAGE);
  scope.release();
  expect(owner.liveBytes).toBe(most * MIB);
});

test('a scope that is destroyed leaves nothing to reuse', () => {
  const { owner, counts } = countingOwner(false);
  const scope = owner.scope();
  const first = scope.create('a', 64, USAGE);
  scope.destroy();
  expect(owner.liveBytes).toBe(0);
  expect(owner.create('b', 64, USAGE)).not.toBe(first);
  expect(counts).toEqual({ created: 2, destroyed: 1 });
});

test('lent buffers are released after success and destroyed after failure', async () => {
  const { owner, counts } = countingOwner(false);
  const lend = (outcome: Promise<string>): Promise<string> =>
    owner.lend((scope) => {
      scope.create('lent', 64, USAGE);
      return outcome;
    });
  expect(await lend(Promise.resolve('done'))).toBe('done');
  expect(counts).toEqual({ created: 1, destroyed: 0 });
  await expect(lend(Promise.reject(new Error('on purpose')))).rejects.toThrow('on purpose');
  expect(counts).toEqual({ created: 1, destroyed: 1 }); // the pooled one, now suspect
  expect(owner.liveBytes).toBe(0);
});

test('under a limit, what waits goes before more is made; what is in use stays', () => {
  const { owner, counts } = countingOwner(false);
  const used = owner.scope();
  const passing = owner.scope();
  owner.limit(40 * MIB);
  used.create('in use', 20 * MIB, USAGE);
  passing.create('one', 8 * MIB, USAGE);
  passing.create('two', 8 * MIB, USAGE);
  passing.release();
  expect(owner.usedBytes).toBe(20 * MIB);
  expect(owner.liveBytes).toBe(36 * MIB);
  used.create('more', 10 * MIB, USAGE); // one of the two makes room
  expect(owner.liveBytes).toBe(38 * MIB);
  used.create('too much', 30 * MIB, USAGE);
  expect(owner.liveBytes).toBe(60 * MIB);
  expect(counts.destroyed).toBe(2);
  used.release();
  expect(owner.liveBytes).toBeLessThanOrEqual(40 * MIB);
});
