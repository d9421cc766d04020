/** What LoRA files add to a layer's outputs beside their products: biases of their up factors. */
import { type LoraFileFacts } from '@/export/lora/lora-contents';
import { readBias } from '@/formats/lora-file/read-modules';
import { type LoraChoices, weightOf } from '@/recipe/lora-choices';
import { type LoraGroup } from './lora-group';

interface BiasOfModule {
  readonly group: Pick<LoraGroup, 'files' | 'scales' | 'contents'>;
  readonly lora: LoraChoices;
  /** The file that is made smaller, or all that are added up. */
  readonly bringers: readonly LoraFileFacts[];
  /** Among the modules of the group. */
  readonly module: number;
  /** Outputs of its layer. */
  readonly rows: number;
}

/**
 * sum_t w_t s_t b_t in float64, with the scales s of each file's module; weights w count in a sum only.
 *
 * @throws PeruError `source` when a file can not be read; the signal's reason once aborted
 */
export async function scaledBias(
  { group, lora, bringers, module, rows }: BiasOfModule,
  signal: AbortSignal,
): Promise<Float64Array> {
  // From -0, which is the zero that changes no other.
  const sum = new Float64Array(rows).fill(-0);
  for (const bringer of bringers) {
    const file = group.contents.files.indexOf(bringer);
    const place = bringer.places[module]!;
    const bias = group.files[file]!.modules[place]?.bias ?? null;
    if (bias === null) continue;
    const weight = lora.make === 'one' ? weightOf(lora, bringer.name) : 1;
    const factor = weight * group.scales[file]![place]!;
    const values = await readBias(bias, signal);
    for (const [i, value] of values.entries()) sum[i]! += factor * value;
  }
  return sum;
}
