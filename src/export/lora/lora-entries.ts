/** What stands in a written file of LoRA factors, and where: the source's order and names. */
import { PeruError } from '@/core/errors';
import { type HeaderEntry } from '@/export/safetensors-writer';
import { alphaName } from '@/formats/lora-file/spelling';
import { type LoraFileFacts } from './lora-contents';
import { type WrittenLoraModule } from './written-modules';

/** A tensor of the written file, and what fills it. */
export type LoraEntry = HeaderEntry &
  (
    | { readonly fill: 'up' | 'down' | 'alpha' | 'bias'; readonly module: WrittenLoraModule }
    /** Copied from this file, where it has the same name. */
    | { readonly fill: 'carried'; readonly from: string }
  );

/** A tensor that is no factor, and the file that brings it. */
export interface CarriedTensor extends HeaderEntry {
  readonly from: string;
}

/**
 * In the order of the source where its names are kept: a tensor stands where it stood, what is new
 * comes last. A Tucker core is folded into down, and is gone.
 *
 * @throws PeruError `mismatch` where two tensors would have one name
 */
export function loraEntries(
  { order, name: file }: Pick<LoraFileFacts, 'order' | 'name'>,
  modules: readonly WrittenLoraModule[],
  carried: readonly CarriedTensor[],
): LoraEntry[] {
  const entries = new Map<string, LoraEntry>();
  const add = (entry: LoraEntry): void => {
    const other = entries.get(entry.name);
    if (other !== undefined) throw clash(file, entry, other);
    entries.set(entry.name, entry);
  };
  for (const module of modules) entriesOf(module).forEach(add);
  for (const tensor of carried) add({ ...tensor, fill: 'carried' });
  const known = new Set(order);
  const kept = order.flatMap((name) => entries.get(name) ?? []);
  const added = [...entries.values()].filter(({ name }) => !known.has(name));
  return [...kept, ...added];
}

function clash(file: string, entry: LoraEntry, other: LoraEntry): PeruError {
  if (entry.fill === 'carried' && other.fill === 'carried') {
    return new PeruError(
      'mismatch',
      `${other.from} and ${entry.from} both bring "${entry.name}", which is no factor and can not be added up.`,
      'Leave one of the files out, or have other tensors left out.',
    );
  }
  return new PeruError(
    'mismatch',
    `Two tensors of ${file} would be called "${entry.name}".`,
    'Keep the names of the files, or leave one of the files out.',
  );
}

function entriesOf(module: WrittenLoraModule): LoraEntry[] {
  const { key, spelling, rank, rows, inputShape, upPoints, alpha, biasDtype } = module;
  const { up, down, bias } = spelling.ends;
  const [upShape, downShape] = spelling.isTransposed
    ? [
        [rank, rows],
        [...inputShape, rank],
      ]
    : [
        [rows, rank, ...new Array<number>(upPoints).fill(1)],
        [rank, ...inputShape],
      ];
  const ofAlpha: LoraEntry[] =
    alpha === null
      ? []
      : [{ name: alphaName(key), dtype: alpha.dtype, shape: alpha.shape, fill: 'alpha', module }];
  const ofBias: LoraEntry[] =
    biasDtype === null || bias === undefined
      ? []
      : [{ name: key + bias, dtype: biasDtype, shape: [rows], fill: 'bias', module }];
  return [
    { name: key + down, dtype: module.downDtype, shape: downShape, fill: 'down', module },
    { name: key + up, dtype: module.upDtype, shape: upShape, fill: 'up', module },
    ...ofBias,
    ...ofAlpha,
  ];
}
