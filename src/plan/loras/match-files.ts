/** Which modules of several LoRA files are one and the same, and which stand alone. */
import { type LoraFile, type LoraFileModule } from '@/formats/lora-file/lora-file';
import { likeness, type ModulePath, modulePath } from '@/formats/lora-file/module-path';

/** A module of the model that the files were made for. */
export interface SharedModule extends ModulePath {
  readonly rows: number;
  readonly columns: number;
  readonly inputShape: readonly number[];
  /** By file, its place among the file's modules; -1 where the file does not change it. */
  readonly places: readonly number[];
}

export interface MatchedFiles {
  /** In the order in which they come up, file after file. */
  readonly modules: readonly SharedModule[];
  /** Files of which no module is in any other, where there are several. */
  readonly alone: readonly number[];
  /** Modules of one name and two shapes: those files are of different models. */
  readonly clashes: readonly Clash[];
  /** Two modules of one file that no other spelling could tell apart. */
  readonly doubles: readonly { readonly file: number; readonly keys: readonly [string, string] }[];
  /** Modules that stand alone in their files, but look alike. */
  readonly lookalikes: readonly Lookalike[];
}

export interface Clash {
  readonly path: string;
  readonly files: readonly [number, number];
  readonly shapes: readonly [readonly number[], readonly number[]];
}

export interface Lookalike {
  readonly files: readonly [number, number];
  readonly keys: readonly [string, string];
}

interface Draft extends ModulePath {
  readonly rows: number;
  readonly columns: number;
  readonly inputShape: readonly number[];
  readonly places: number[];
}

/** Headers alone decide. */
export function matchFiles(files: readonly Pick<LoraFile, 'modules'>[]): MatchedFiles {
  const byId = new Map<string, Draft[]>();
  const clashes: Clash[] = [];
  const doubles: MatchedFiles['doubles'][number][] = [];
  for (const [file, { modules }] of files.entries()) {
    for (const [place, module] of modules.entries()) {
      const path = modulePath(module.key);
      const known = byId.get(path.id) ?? [];
      byId.set(path.id, known);
      const own = known.find(({ places }) => places[file]! >= 0);
      if (own !== undefined) {
        doubles.push({ file, keys: [modules[own.places[file]!]!.key, module.key] });
      }
      const same = known.find((one) => isOneWeight(one, module) && one.places[file]! < 0);
      if (same !== undefined) {
        same.places[file] = place;
        continue;
      }
      const [other] = known;
      if (other !== undefined && own === undefined) clashes.push(clash(other, file, module));
      known.push(draft(path, module, file, place, files.length));
    }
  }
  const modules = [...byId.values()].flat();
  return {
    modules,
    alone: aloneAmong(files.length, modules),
    clashes,
    doubles,
    lookalikes: lookalikes(files, modules),
  };
}

function draft(
  path: ModulePath,
  { rows, columns, inputShape }: LoraFileModule,
  file: number,
  place: number,
  fileCount: number,
): Draft {
  const places = new Array<number>(fileCount).fill(-1);
  places[file] = place;
  return { ...path, rows, columns, inputShape, places };
}

/** A convolution of 1 x 1 is a matrix, however it is stored. */
function isOneWeight(a: Pick<Draft, 'rows' | 'inputShape'>, b: Pick<Draft, 'rows' | 'inputShape'>) {
  const [one, other] = [a, b].map(({ inputShape }) => withoutPoints(inputShape));
  return a.rows === b.rows && String(one) === String(other);
}

function withoutPoints([channels = 0, ...kernel]: readonly number[]): readonly number[] {
  return kernel.every((size) => size === 1) ? [channels] : [channels, ...kernel];
}

function clash(one: Draft, file: number, { rows, inputShape }: LoraFileModule): Clash {
  const other = one.places.findIndex((place) => place >= 0);
  return {
    path: one.path,
    files: [other, file],
    shapes: [
      [one.rows, ...one.inputShape],
      [rows, ...inputShape],
    ],
  };
}

function aloneAmong(fileCount: number, modules: readonly SharedModule[]): number[] {
  if (fileCount < 2) return [];
  const meets = new Set(
    modules.flatMap(({ places }) => {
      const own = places.flatMap((place, file) => (place < 0 ? [] : [file]));
      return own.length > 1 ? own : [];
    }),
  );
  return [...Array(fileCount).keys()].filter((file) => !meets.has(file));
}

/** Of modules with one file each: the same numbers, last word and shape, in different files. */
function lookalikes(
  files: readonly Pick<LoraFile, 'modules'>[],
  modules: readonly SharedModule[],
): Lookalike[] {
  const lone = modules.filter(({ places }) => places.filter((place) => place >= 0).length === 1);
  const byLikeness = new Map<string, { readonly file: number; readonly key: string }[]>();
  for (const module of lone) {
    const file = module.places.findIndex((place) => place >= 0);
    const like = `${likeness(module)}|${module.rows}|${withoutPoints(module.inputShape).join('x')}`;
    const known = byLikeness.get(like) ?? [];
    known.push({ file, key: files[file]!.modules[module.places[file]!]!.key });
    byLikeness.set(like, known);
  }
  return [...byLikeness.values()].flatMap((group) => {
    const [first, second] = group;
    // Where a file has several, nobody could say which is meant.
    const isOneEach = new Set(group.map(({ file }) => file)).size === group.length;
    if (first === undefined || second === undefined || !isOneEach) return [];
    return [{ files: [first.file, second.file], keys: [first.key, second.key] }] as const;
  });
}
