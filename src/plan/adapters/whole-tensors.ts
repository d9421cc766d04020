/** What becomes of the tensors that an adapter brings whole: heads, embeddings, biases. */
import { type OwnCopy, type PlannedAdapter, type TiedCopy } from '@/formats/lora/adapter-plan';
import { listShape } from '@/formats/lora/check-rank';
import { type LoraAdapter } from '@/formats/lora/lora-adapter';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { PeruError } from '@/core/errors';
import { someMissing } from './adapter-name-refusals';
import { type NameMatch } from './adapter-names';
import { checkBaseDtype } from './adapter-shapes';
import { type PlannedCheckpoint, type PlannedTensor } from '@/plan/checkpoint-facts';
import { incompleteSave } from '@/formats/checkpoint/incomplete-save';
import { sameShape } from '@/plan/names/name-prefix';
import { isEmbedding, isTokenHead } from '@/formats/checkpoint/token-tables';

export interface WholeTensors {
  /** By the base's name, and under it. */
  readonly replaced: ReadonlyMap<string, StoredTensor>;
  /** By the base's name, that in the adapted model. */
  readonly names: ReadonlyMap<string, string>;
  readonly own: readonly OwnCopy[];
  readonly tied: readonly TiedCopy[];
}

/** A whole tensor and the base's, where it has one. */
interface Placed {
  readonly path: string;
  readonly copy: StoredTensor;
  readonly base: (PlannedTensor & { readonly name: string }) | null;
}

/**
 * Those that the base has in one shape stand for the base's; heads that it lacks or has in another
 * shape, and vocabularies of another size, stay with their task.
 *
 * @param group.changed names of the tensors that factors change, as the adapter has them
 * @throws PeruError `mismatch` for empty tensors, and for those that are no head and not in the
 *   base, or not in that shape
 */
export function wholeTensors(group: {
  readonly base: PlannedCheckpoint;
  readonly adapter: LoraAdapter;
  readonly changed: readonly string[];
  readonly baseName: NameMatch['baseName'];
}): WholeTensors {
  const { base, adapter, changed, baseName } = group;
  const { copies, metadata } = adapter;
  const isHead = headTest(adapter, changed);
  const placed = [...copies].map(([path, copy]): Placed => {
    const name = baseName(path);
    return { path, copy, base: name === null ? null : { ...base.tensors.get(name)!, name } };
  });
  const missing = placed.filter((one) => one.base === null && !isHead(one));
  for (const { copy, base: there } of placed) {
    if (copy.elementCount === 0 && there?.elementCount !== 0) throw incompleteSave(copy);
  }
  if (missing.length > 0) throw missingInBase(group, missing);
  const replaced = new Map<string, StoredTensor>();
  const names = new Map<string, string>();
  const own: OwnCopy[] = [];
  const tied: TiedCopy[] = [];
  for (const one of placed) {
    const { path, copy, base: there } = one;
    if (there === null) {
      const embedding = isTokenHead(path) ? embeddingLike(copy, copies) : undefined;
      if (metadata.tiesWeights && embedding !== undefined) tied.push({ path, embedding });
      else own.push(ownCopy(one, isTokenHead(path) ? 'tied' : 'not-in-base'));
      continue;
    }
    checkBaseDtype(base, there.name);
    if (sameShape(there.shape, copy.shape)) {
      replaced.set(there.name, { ...copy, name: there.name });
      names.set(there.name, path);
    } else if (isHead(one) && mayDiffer(path, copy.shape, there.shape)) {
      own.push(ownCopy(one, 'other-shape'));
    } else throw otherShape(base.name, path, copy, there);
  }
  return { replaced, names, own, tied };
}

/** Adapters of which one has a tensor in another shape than the base's: then no one's is merged. */
export function withoutOtherShapes(adapters: readonly PlannedAdapter[]): PlannedAdapter[] {
  const differing = new Set(
    adapters.flatMap(({ own }) =>
      own.filter(({ why }) => why === 'other-shape').map(({ tensor }) => tensor.name),
    ),
  );
  return adapters.map((adapter) => {
    const [kept, others] = [new Map(adapter.replaced), [...adapter.own]];
    for (const [name, tensor] of adapter.replaced) {
      if (!differing.has(name)) continue;
      kept.delete(name);
      const path = adapter.names.get(name)!;
      others.push({ path, tensor, baseShape: tensor.shape, why: 'other-shape-elsewhere' });
    }
    return { ...adapter, replaced: kept, own: others };
  });
}

/**
 * Whether a tensor is a head or a vocabulary: training was told to keep it whole, or it is called
 * so, and it is none of the blocks that factors change.
 */
function headTest(
  { savedWhole }: LoraAdapter,
  changed: readonly string[],
): (one: Pick<Placed, 'path'> & { readonly base: unknown }) => boolean {
  const blocks = new Set(changed.flatMap((name) => /^(.*?\.)\d+\./.exec(name)?.[1] ?? []));
  return ({ path, base }) => {
    if ([...blocks].some((block) => path.startsWith(block))) return false;
    // An embedding that the base calls otherwise is none that it lacks.
    if (isEmbedding(path)) return base !== null;
    return savedWhole.has(path) || isTokenHead(path);
  };
}

/** Labels and tokens come and go; what a head reads does not. */
function mayDiffer(path: string, shape: readonly number[], baseShape: readonly number[]): boolean {
  if (shape.length !== baseShape.length) return false;
  return !(isEmbedding(path) || isTokenHead(path)) || sameShape(shape.slice(1), baseShape.slice(1));
}

/** The embedding that a head of this shape is tied to. */
function embeddingLike(
  head: StoredTensor,
  copies: ReadonlyMap<string, StoredTensor>,
): string | undefined {
  const found = [...copies].filter(
    ([path, { shape }]) => isEmbedding(path) && sameShape(shape, head.shape),
  );
  return found.length === 1 ? found[0]![0] : undefined;
}

function ownCopy({ path, copy, base }: Placed, why: OwnCopy['why']): OwnCopy {
  const tensor = { ...copy, name: base?.name ?? path };
  return { path, tensor, baseShape: base?.shape ?? null, why };
}

function missingInBase(
  {
    base,
    adapter,
    changed,
  }: Pick<Parameters<typeof wholeTensors>[0], 'base' | 'adapter' | 'changed'>,
  missing: readonly Placed[],
): PeruError {
  return someMissing({
    adapter: adapter.name,
    base: base.name,
    paths: [...changed, ...adapter.copies.keys()],
    missing: missing.map(({ path }) => path),
  });
}

function otherShape(
  base: string,
  path: string,
  { fileName, shape }: StoredTensor,
  there: { readonly name: string; readonly shape: readonly number[] },
): PeruError {
  return new PeruError(
    'mismatch',
    `${fileName} brings its own "${path}" ${listShape(shape)}, but ${base} has "${there.name}" ${listShape(there.shape)}.`,
    'Add the base that the adapter was trained on: another size is another model.',
  );
}
