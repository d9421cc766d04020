// Fails where two folders of src/ import each other, where one grew past what a newcomer can take
// in, and where a file did. Tests, their fixtures, e2e/ and bench/ may reach anywhere and count only
// by length.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { ROOT } from './setup.mjs';

const SRC = join(ROOT, 'src');
const MAX_FILES = 20;
const MAX_LINES = 350;
const GENERATED = ['src/evaluate/onnx/onnx_pb.ts'];

const sources = typescriptIn(SRC);
const product = sources.filter(
  (path) => !/\.(test|fixture)\.tsx?$|\/test-[^/]+$|\/golden\//.test(path),
);
const others = ['e2e', 'bench'].flatMap((folder) => typescriptIn(join(ROOT, folder)));

const complaints = [...pairs(product), ...crowded(product), ...long([...sources, ...others])];
for (const complaint of complaints) console.error(complaint);
if (complaints.length > 0) process.exitCode = 1;

function typescriptIn(folder) {
  return readdirSync(folder, { recursive: true })
    .map((path) => join(folder, path))
    .filter((path) => /\.tsx?$/.test(path));
}

function pairs(paths) {
  const edges = new Map();
  for (const path of paths) {
    for (const { fileName } of ts.preProcessFile(readFileSync(path, 'utf8')).importedFiles) {
      const imported = resolveImport(path, fileName);
      if (imported === null || dirname(imported) === dirname(path)) continue;
      const edge = `${nameOf(dirname(path))} ${nameOf(dirname(imported))}`;
      edges.set(edge, [...(edges.get(edge) ?? []), `${nameOf(path)} imports ${nameOf(imported)}`]);
    }
  }
  return [...edges.keys()].flatMap((edge) => {
    const [from, to] = edge.split(' ');
    const back = edges.get(`${to} ${from}`);
    if (from > to || back === undefined) return [];
    const there = edges.get(edge);
    const fewer = there.length <= back.length ? there : back;
    return [`${from} and ${to} import each other: ${fewer.join(', ')}.`];
  });
}

function crowded(paths) {
  const counts = groupBy(paths, dirname);
  return [...counts].flatMap(([folder, { length }]) =>
    length > MAX_FILES ? [`${nameOf(folder)} holds ${length} files, more than ${MAX_FILES}.`] : [],
  );
}

function long(paths) {
  return paths.flatMap((path) => {
    const lines = readFileSync(path, 'utf8').split('\n').length - 1;
    const isFine = lines <= MAX_LINES || GENERATED.includes(nameOf(path));
    return isFine ? [] : [`${nameOf(path)} has ${lines} lines, more than ${MAX_LINES}.`];
  });
}

function resolveImport(path, specifier) {
  const bare = specifier.replace(/\?.*$/, '');
  const target = bare.startsWith('@/') ? join(SRC, bare.slice(2)) : resolve(dirname(path), bare);
  if (!bare.startsWith('@/') && !bare.startsWith('.')) return null;
  const found = ['', '.ts', '.tsx'].map((end) => target + end).find(isFile);
  return found?.startsWith(SRC) ? found : null;
}

function isFile(path) {
  return existsSync(path) && statSync(path).isFile();
}

function nameOf(path) {
  return relative(ROOT, path);
}

function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
