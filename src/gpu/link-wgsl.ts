/**
 * Links WGSL. A shader states what it takes from which other file, in the words of WESL, and gives
 * its buffers no numbers:
 *
 *     import package::shared::dtype::{F32, Octet};  from shaders/shared/dtype.wgsl
 *     import tally::{flush, tally};                 from the file that the caller chose as `tally`
 *     import kernel::{left_rows, right_rows};       from the kernel that is being linked
 *
 * WESL's own linker is not used, since it can not say the third: its modules see no name of who
 * imports them, so each kernel that hands its matrices to a shared product or reflector would have to
 * be told apart by generated modules. Nor does it number buffers, and it renames what it links. Here
 * files are joined as they stand, so that what a compiler reports reads as what was written.
 */

/** Shaders by their path without extension, such as `shared/dtype`. */
export type WgslFiles = Readonly<Record<string, string>>;

/** Paths of files that stand for names, where a shader leaves open which one it is linked with. */
export type WgslChoices = Readonly<Record<string, string>>;

interface Import {
  /** Parts of the path, such as `package`, `shared`, `dtype`. */
  readonly path: readonly string[];
  readonly names: readonly string[];
}

const IMPORT = /^import\s+(\w+(?:::\w+)*)::(?:(\w+)|\{([^}]*)\});[^\S\n]*\n?/gm;
/** A buffer at module scope, which the linker numbers. */
const BUFFER = /^var<(?:uniform|storage)\b/gm;
const PACKAGE = 'package';
const KERNEL = 'kernel';

/**
 * The WGSL of a kernel: the files it needs, each once and before those that import it. Buffers are
 * bound to group 0, numbered in the order they stand in.
 *
 * @throws Error when an import leads to no file, to no such name in it, or in a circle
 */
export function linkWgsl(files: WgslFiles, kernel: string, choices: WgslChoices = {}): string {
  const linked = new Map<string, string>();
  const add = (path: string, importers: readonly string[]): void => {
    const trail = [...importers, path];
    if (importers.includes(path)) throw new Error(`Shaders import in a circle: ${told(trail)}.`);
    if (linked.has(path)) return;
    const source = files[path];
    if (source === undefined) throw new Error(`No such shader: ${told(trail)}.`);
    for (const { path: parts, names } of importsOf(source, path)) {
      const target = parts.join() === KERNEL ? kernel : resolve(parts, choices, path);
      if (parts.join() !== KERNEL) add(target, trail);
      for (const name of names) {
        if (declaredNames(files[target] ?? '').includes(name)) continue;
        throw new Error(`${path}.wgsl imports "${name}", which ${target}.wgsl does not declare.`);
      }
    }
    linked.set(path, `// ${path}.wgsl\n${source.replace(IMPORT, '')}`);
  };
  add(kernel, []);
  return numberBuffers([...linked.values()].join('\n'));
}

/** What a shader imports. */
export function importsOf(source: string, path: string): Import[] {
  const imports = [...source.matchAll(IMPORT)].map(([, from = '', one, several = '']) => ({
    path: from.split('::'),
    names: (one ?? several).split(',').flatMap((name) => name.trim() || []),
  }));
  const lines = source.match(/^import\b/gm) ?? [];
  if (lines.length === imports.length) return imports;
  throw new Error(`${path}.wgsl has an import that is not of the form "import a::b::{c, d};".`);
}

/** Names that a shader declares at module scope. */
export function declaredNames(source: string): string[] {
  const declarations = /^(?:const|fn|override|struct|var(?:<[^>]*>)?)\s+(\w+)/gm;
  return [...source.matchAll(declarations)].map(([, name = '']) => name);
}

function resolve(parts: readonly string[], choices: WgslChoices, importer: string): string {
  const [root, ...rest] = parts;
  if (root === PACKAGE) return rest.join('/');
  const chosen = choices[parts.join('::')];
  if (chosen !== undefined) return chosen;
  throw new Error(`${importer}.wgsl imports "${parts.join('::')}", which nobody chose a file for.`);
}

function numberBuffers(code: string): string {
  let next = 0;
  return code.replace(BUFFER, (buffer) => `@group(0) @binding(${next++}) ${buffer}`);
}

function told(trail: readonly string[]): string {
  return trail.map((path) => `${path}.wgsl`).join(' -> ');
}
