/** What stands in a written file of LoRA factors, and where: the source's order and names. */
import { type HeaderEntry } from '@/export/safetensors-writer';
import { alphaName } from '@/formats/lora-file/spelling';
import { type LoraChoices } from '@/recipe/lora-choices';
import { type LoraFileFacts } from './lora-contents';
import { type WrittenLoraModule } from './written-modules';

/** A tensor of the written file, and what fills it. */
export type LoraEntry = HeaderEntry &
  (
    | { readonly fill: 'up' | 'down' | 'alpha'; readonly module: WrittenLoraModule }
    /** Copied from the source by the name it has there. */
    | { readonly fill: 'carried'; readonly from: string }
  );

/**
 * In the order of the source where its names are kept: a tensor stands where it stood, what is new
 * comes last. A Tucker core is folded into down, and is gone.
 */
export function loraEntries(
  { order, carried }: Pick<LoraFileFacts, 'order' | 'carried'>,
  modules: readonly WrittenLoraModule[],
  choices: Pick<LoraChoices, 'carried'>,
): LoraEntry[] {
  const entries = new Map<string, LoraEntry>();
  for (const module of modules) {
    for (const entry of entriesOf(module)) entries.set(entry.name, entry);
  }
  if (choices.carried === 'keep') {
    for (const tensor of carried) {
      entries.set(tensor.name, { ...tensor, fill: 'carried', from: tensor.name });
    }
  }
  const known = new Set(order);
  const kept = order.flatMap((name) => entries.get(name) ?? []);
  const added = [...entries.values()].filter(({ name }) => !known.has(name));
  return [...kept, ...added];
}

function entriesOf(module: WrittenLoraModule): LoraEntry[] {
  const { key, spelling, rank, rows, inputShape, upPoints, alpha } = module;
  const { up, down } = spelling.ends;
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
  return [
    { name: key + down, dtype: module.downDtype, shape: downShape, fill: 'down', module },
    { name: key + up, dtype: module.upDtype, shape: upShape, fill: 'up', module },
    ...ofAlpha,
  ];
}
