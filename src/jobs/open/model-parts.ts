/** Models inside another model's folder that are parts of it: a tokenizer of speech, a vocoder. */
import { finding, listed } from '@/plan/findings/finding';
import { type Finding } from '@/plan/preflight';
import {
  type CheckpointSource,
  type OpenOptions,
  openWeights,
} from '@/formats/checkpoint/checkpoint-source';

export interface WithoutParts {
  readonly whole: readonly CheckpointSource[];
  /** Folders of the others. */
  readonly parts: readonly string[];
}

/**
 * Leaves out checkpoints inside the folder of another that share no tensor's name with it: a
 * fine-tune always does, whatever its prefixes. Headers are read only where folders are nested.
 */
export async function withoutParts(
  checkpoints: readonly CheckpointSource[],
  options: OpenOptions,
): Promise<WithoutParts> {
  const parts = new Set<CheckpointSource>();
  for (const inner of checkpoints) {
    const outer = checkpoints.find(({ folder }) => isAround(folder, inner.folder));
    if (outer === undefined) continue;
    const [around, inside] = await Promise.all([
      openWeights(outer, options),
      openWeights(inner, options),
    ]);
    if (!shareNames(around.tensors.keys(), inside.tensors.keys())) parts.add(inner);
  }
  return {
    whole: checkpoints.filter((one) => !parts.has(one)),
    parts: [...parts].map(({ folder }) => folder),
  };
}

/** What was left out because it belongs to a model; none where nothing was. */
export function partFindings(folders: readonly string[]): Finding[] {
  if (folders.length === 0) return [];
  return [
    finding({
      level: 'note',
      topic: 'sources',
      title: `Left out inside models: ${listed(folders)}.`,
      detail:
        'Steps of a training, modules of an encoder and copies in other formats belong to the model they lie in. To merge one of them, add its folder by itself.',
    }),
  ];
}

function isAround(outer: string, inner: string): boolean {
  return outer !== '' && inner.startsWith(`${outer}/`);
}

/** Whether some name of one is a name of the other, or one with a prefix before it. */
function shareNames(one: Iterable<string>, other: Iterable<string>): boolean {
  const [ends, names] = [[...one], [...other]].map((all) => new Set(all.flatMap(tails)));
  return [...ends!].some((name) => names!.has(name));
}

/** A name, and what is left of it without its first parts, down to three. */
function tails(name: string): string[] {
  const parts = name.split('.');
  const count = Math.max(1, parts.length - 2);
  return Array.from({ length: count }, (_, from) => parts.slice(from).join('.'));
}
