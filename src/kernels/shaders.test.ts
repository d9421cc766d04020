/** What holds for all shaders, read as text: `*.gpu.test.ts` compile and run them. */
import { describe, expect, test } from 'vitest';
import { declaredNames, importsOf } from '@/gpu/link-wgsl';
import { LOW_RANK_KERNELS } from '@/kernels/low-rank/low-rank-wgsl';
import { WORKGROUP_SIZE } from '@/kernels/weights/blocks';
import type { KernelSource } from '@/gpu/pipelines';
import { KERNELS, SHADER_FILES, VALUE_KERNELS } from '@/kernels/weights/wgsl';

const kernels = [KERNELS, VALUE_KERNELS.apply, VALUE_KERNELS.keptWrite, LOW_RANK_KERNELS].flatMap(
  (set): readonly KernelSource[] => Object.values(set),
);

/** Files that a kernel is linked from. */
function filesOf({ code }: { readonly code: string }): string[] {
  return [...code.matchAll(/^\/\/ (\S+)\.wgsl$/gm)].map(([, path]) => path!);
}

/** A shader without comments and imports. */
function bare(path: string): string {
  return SHADER_FILES[path]!.replace(/\/\/.*/g, '').replace(/^import[^;]*;/gm, '');
}

/** Names in a shader that stand for something at module scope, here or in another file. */
function namesIn(path: string): Set<string> {
  const code = bare(path);
  const names = new Set([...code.matchAll(/(?<![.\w])[A-Za-z_]\w*/g)].map(([name]) => name));
  // Fields, parameters and local variables may be called as something elsewhere is.
  for (const [, local, field] of code.matchAll(/^ +(?:let|var) (\w+)|(\w+):/gm)) {
    names.delete(local ?? field!);
  }
  return names;
}

test('every shader is part of some kernel', () => {
  const linked = new Set(kernels.flatMap(filesOf));
  expect(Object.keys(SHADER_FILES).filter((path) => !linked.has(path))).toEqual([]);
});

test('kernels have names of their own', () => {
  expect(new Set(kernels.map(({ name }) => name)).size).toBe(kernels.length);
});

test('the workgroup size is the same here and there', () => {
  expect(SHADER_FILES['shared/index']).toContain(`const WORKGROUP_SIZE = ${WORKGROUP_SIZE}u;`);
});

describe.each(Object.keys(SHADER_FILES))('%s.wgsl', (path) => {
  test('imports what it uses and nothing else', () => {
    const used = namesIn(path);
    const words = new Set(bare(path).match(/\w+/g));
    const own = declaredNames(SHADER_FILES[path]!);
    const imported = importsOf(SHADER_FILES[path]!, path).flatMap(({ names }) => names);
    expect(imported.filter((name) => !words.has(name))).toEqual([]);
    for (const kernel of kernels) {
      const files = filesOf(kernel);
      if (!files.includes(path)) continue;
      const known = new Set([...imported, ...own]);
      const foreign = files.flatMap((file) => declaredNames(SHADER_FILES[file]!));
      expect(foreign.filter((name) => used.has(name) && !known.has(name))).toEqual([]);
    }
  });

  test('numbers neither bindings nor workgroups', () => {
    expect(bare(path)).not.toMatch(/@(?:binding|group)\b|@workgroup_size\(\d/);
  });

  test('has no entry point but `main`, which takes what all take', () => {
    const entries = bare(path).match(/^@compute[^{]*\{/gm) ?? [];
    const main =
      /^@compute @workgroup_size\([A-Z_]+\)\nfn main\(grid: Grid, @builtin\(local_invocation_index\) lane: u32\) \{$/;
    expect(entries).toHaveLength(path.startsWith('shared/') ? 0 : 1);
    for (const entry of entries) expect(entry).toMatch(main);
  });
});

test('halves are decoded in one file', () => {
  const decoders = Object.keys(SHADER_FILES).filter((path) => /0x1p-14|<< 13u/.test(bare(path)));
  expect(decoders).toEqual(['shared/dtype']);
});
