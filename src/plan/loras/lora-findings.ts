/** What a visitor learns of LoRA files before anything is computed: the dry run of a sum. */
import { type LoraFile } from '@/formats/lora-file/lora-file';
import { counted, finding, groupedBy, listed } from '@/plan/findings/finding';
import { type Finding } from '@/plan/preflight';
import { type MatchedFiles, type SharedModule } from './match-files';

/** Warnings, notes and what is well, in any order. */
export function loraFindings(
  files: readonly Pick<LoraFile, 'name' | 'modules' | 'carried' | 'spelling' | 'config'>[],
  matched: MatchedFiles,
): Finding[] {
  const nameOf = (file: number): string => files[file]!.name;
  return [
    ...meetings(files.length, matched, nameOf),
    ...matched.clashes.slice(0, 1).map((one) => clashFinding(one, matched.clashes.length, nameOf)),
    ...lookalikeFinding(matched, nameOf),
    ...files.flatMap((file) => [...carriedFinding(file), ...biasFinding(file)]),
    ...unscaledFinding(files),
    spellingFinding(files),
  ];
}

function meetings(
  fileCount: number,
  { modules, alone }: MatchedFiles,
  nameOf: (file: number) => string,
): Finding[] {
  if (fileCount < 2) return [];
  const inAll = modules.filter(({ places }) => places.every((place) => place >= 0));
  const single = modules.filter((one) => fileCountOf(one) === 1);
  const isWell = alone.length === 0;
  const told = finding({
    level: 'ok',
    topic: 'tensors',
    title: `${counted(inAll.length, 'module')} of ${modules.length.toLocaleString('en')} are in every file; ${counted(single.length, 'module')} stand in one alone.`,
    names: single.map(({ path }) => path),
  });
  if (isWell) return [told];
  const names = alone.map(nameOf);
  return [
    finding({
      level: 'warning',
      topic: 'tensors',
      title: `No module of ${listed(names)} is in another file.`,
      detail: isOtherPart(modules, alone)
        ? 'They change other parts of a pipeline, such as its text encoder: a sum holds both side by side.'
        : 'They are of different models, or call their modules otherwise. Each can be made smaller; they can not be added up.',
    }),
    told,
  ];
}

function fileCountOf({ places }: SharedModule): number {
  return places.filter((place) => place >= 0).length;
}

/** Whether what stands alone is in a part of a pipeline that no other file changes. */
export function isOtherPart(modules: readonly SharedModule[], alone: readonly number[]): boolean {
  return alone.every((file) => {
    const own = modules.filter(({ places }) => places[file]! >= 0);
    const others = modules.filter(({ places }) => places.some((at, i) => at >= 0 && i !== file));
    const parts = new Set(others.map(({ part }) => part));
    return own.every(({ part }) => part !== '' && !parts.has(part));
  });
}

function clashFinding(
  { path, files: [one, other], shapes }: MatchedFiles['clashes'][number],
  count: number,
  nameOf: (file: number) => string,
): Finding {
  return finding({
    level: 'warning',
    topic: 'tensors',
    title: `${counted(count, 'module')} of one name have two shapes, such as ${path}.`,
    detail: `It is [${shapes[0].join(', ')}] in ${nameOf(one)} and [${shapes[1].join(', ')}] in ${nameOf(other)}: these files are of different models and can not be added up.`,
  });
}

function lookalikeFinding(
  { lookalikes }: MatchedFiles,
  nameOf: (file: number) => string,
): Finding[] {
  const [first] = lookalikes;
  if (first === undefined) return [];
  const [one, other] = first.keys;
  return [
    finding({
      level: 'warning',
      topic: 'names',
      title: `${counted(lookalikes.length, 'module')} may be the same in two spellings that names alone do not settle.`,
      detail: `"${one}" in ${nameOf(first.files[0])} and "${other}" in ${nameOf(first.files[1])} have one shape and the same numbers. In a sum both are written, and a program that knows both names may apply only one of them: convert one file to the names of the other with the program that made it, if they are the same.`,
      names: lookalikes.flatMap(({ keys }) => keys),
    }),
  ];
}

function carriedFinding({ name, carried }: Pick<LoraFile, 'name' | 'carried'>): Finding[] {
  if (carried.length === 0) return [];
  return [
    finding({
      level: 'note',
      topic: 'own-tensors',
      title: `${name} carries ${counted(carried.length, 'tensor')} beside its factors.`,
      detail:
        'They are written again byte for byte, whatever the rank; in a sum, too, without its weights.',
      names: carried.map((tensor) => tensor.name),
    }),
  ];
}

function biasFinding({ name, modules }: Pick<LoraFile, 'name' | 'modules'>): Finding[] {
  const biases = modules.flatMap(({ bias }) => (bias === null ? [] : [bias.name]));
  if (biases.length === 0) return [];
  return [
    finding({
      level: 'note',
      topic: 'own-tensors',
      title: `${name} adds ${counted(biases.length, 'bias', 'biases')} to what its factors give.`,
      detail:
        'Readers multiply them by the scale as they do the products. So they are written again whatever the rank, byte for byte where the scale stays, else as much larger as it becomes smaller; in a sum they are added up with its weights.',
      names: biases,
    }),
  ];
}

function unscaledFinding(
  files: readonly Pick<LoraFile, 'name' | 'modules' | 'config'>[],
): Finding[] {
  const own = files.filter(
    ({ modules, config }) =>
      config === null &&
      modules.every(({ alpha, configuredScale }) => alpha === null && configuredScale === 1),
  );
  if (own.length === 0) return [];
  return [
    finding({
      level: 'note',
      topic: 'names',
      title: `${listed(own.map(({ name }) => name))} ${own.length === 1 ? 'has' : 'have'} no alpha: products count as they are.`,
      detail: 'That is how loaders read such files.',
    }),
  ];
}

function spellingFinding(files: readonly Pick<LoraFile, 'name' | 'spelling'>[]): Finding {
  const groups = groupedBy(files, ({ spelling }) => spelling.title);
  const told = groups.map(
    ([first, ...others]) =>
      `${listed([first, ...others].map(({ name }) => name))} ${others.length === 0 ? 'is' : 'are'} spelled as ${first.spelling.title}`,
  );
  return finding({ level: 'ok', topic: 'names', title: `${told.join('; ')}.` });
}
