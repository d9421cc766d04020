import { describe, expect, test } from 'vitest';
import { declaredNames, importsOf, linkWgsl } from './link-wgsl';

const FILES = {
  'shared/octet': 'struct Octet {\n  low: u32,\n}\n',
  'shared/values':
    'import package::shared::octet::Octet;\n\nvar<storage, read> values: array<Octet>;\n',
  'shared/store':
    'import package::shared::octet::Octet;\n\nvar<storage, read_write> stored: array<Octet>;\n',
  'shared/tally_one': 'fn tally() {}\n',
  'shared/tally_two': 'fn tally() {}\nfn other() {}\n',
  copy: [
    'import package::shared::store::stored;',
    'import package::shared::values::{',
    '  values,',
    '};',
    'import tally::tally;',
    'var<uniform> params: Params;',
    '',
  ].join('\n'),
};

function link(files: Readonly<Record<string, string>>, choices = {}): () => string {
  return () => linkWgsl(files, 'main', choices);
}

describe('linkWgsl', () => {
  const code = linkWgsl(FILES, 'copy', { tally: 'shared/tally_one' });
  const order = [...code.matchAll(/^\/\/ (\S+)\.wgsl$/gm)].map(([, path]) => path);

  test('links each file once, before those that import it', () => {
    expect(order).toEqual([
      'shared/octet',
      'shared/store',
      'shared/values',
      'shared/tally_one',
      'copy',
    ]);
    expect(code.match(/struct Octet/g)).toHaveLength(1);
    expect(code).not.toContain('import');
  });

  test('numbers buffers of all files in one row', () => {
    expect(code.match(/^@group.*$/gm)).toEqual([
      '@group(0) @binding(0) var<storage, read_write> stored: array<Octet>;',
      '@group(0) @binding(1) var<storage, read> values: array<Octet>;',
      '@group(0) @binding(2) var<uniform> params: Params;',
    ]);
  });

  test('leaves other variables without numbers', () => {
    const main = 'var<workgroup> sh_sums: array<u32, 4>;\nvar<private> mine: u32;\n';
    expect(linkWgsl({ main }, 'main')).not.toContain('@');
  });

  test('takes from the kernel at hand what a shared file asks of it', () => {
    const files = {
      'shared/gram': 'import kernel::{left, right};\n',
      main: 'import package::shared::gram::{};\nfn left() {}\nfn right() {}\n',
    };
    expect(link(files)).not.toThrow();
    expect(link({ ...files, main: 'import package::shared::gram::{};\nfn left() {}\n' })).toThrow(
      'shared/gram.wgsl imports "right", which main.wgsl does not declare',
    );
  });
});

describe('linkWgsl refuses', () => {
  test('a file that is not there, saying who asked for it', () => {
    const files = { main: 'import package::a::x;\n', a: 'import package::b::y;\nconst x = 1;\n' };
    expect(link(files)).toThrow('main.wgsl -> a.wgsl -> b.wgsl');
  });

  test('a name that the file does not declare', () => {
    const files = {
      main: 'import package::a::x;\n',
      a: '// const x = 1;\nfn f() {\n  let x = 1;\n}',
    };
    expect(link(files)).toThrow('main.wgsl imports "x", which a.wgsl does not declare');
  });

  test('a circle', () => {
    const a = 'import package::b::y;\nconst x = 1;\n';
    const files = {
      main: 'import package::a::x;\n',
      a,
      b: 'import package::a::x;\nconst y = 1;\n',
    };
    expect(link(files)).toThrow('in a circle: main.wgsl -> a.wgsl -> b.wgsl -> a.wgsl');
    expect(link({ main: 'import package::main::x;\nconst x = 1;\n' })).toThrow('circle');
  });

  test('a choice that nobody made, or made wrongly', () => {
    const files = { ...FILES, main: 'import tally::other;\n' };
    expect(link(files)).toThrow('main.wgsl imports "tally", which nobody chose');
    expect(link(files, { tally: 'shared/tally_one' })).toThrow('does not declare');
    expect(link(files, { tally: 'shared/tally_two' })).not.toThrow();
  });

  test.each(['import "a.wgsl";', 'import package::a::*;', 'import a'])('%s', (line) => {
    expect(link({ main: `${line}\n` })).toThrow('main.wgsl has an import that is not of the form');
  });
});

test('reads imports of one name and of several', () => {
  const source = '// import package::no::no;\nimport package::a::b::x;\nimport c::{\n  y, z,\n};\n';
  expect(importsOf(source, 'main')).toEqual([
    { path: ['package', 'a', 'b'], names: ['x'] },
    { path: ['c'], names: ['y', 'z'] },
  ]);
});

test('reads what a shader declares', () => {
  const source = `override LANES: u32 = 64;
const TILE = 4u;
var<workgroup> sh_sums: array<vec4<f32>, LANES>;
var<storage, read> values: array<u32>;
struct Side {
  length: u32,
}
fn main() {
  let inner = 1u;
}
`;
  const names = ['LANES', 'TILE', 'sh_sums', 'values', 'Side', 'main'];
  expect(declaredNames(source)).toEqual(names);
});
