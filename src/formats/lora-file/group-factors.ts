/** Puts the tensors of a file together: factors in pairs, their alpha, and what travels along. */
import { PeruError } from '@/core/errors';
import { listNames } from '@/core/list-names';
import { listShape } from '@/formats/lora/check-rank';
import { type StoredTensor } from '@/tensor/checkpoint-tensors';
import { isFloatDtype } from '@/tensor/dtype';
import { type ConfiguredModule, type SettingsOf } from './configured-scale';
import { type LoraFileModule } from './lora-file';
import { alphaName, biasedModule, factorName, type Spelling } from './spelling';

const DOWNLOAD_AGAIN =
  'Download the file again, or save it again with the program that trained it; leave it out to go on with the others.';

interface Parts {
  readonly key: string;
  readonly spelling: Spelling;
  up?: StoredTensor;
  down?: StoredTensor;
  mid?: StoredTensor;
  bias?: StoredTensor;
}

export interface GroupedFactors {
  readonly modules: readonly LoraFileModule[];
  readonly carried: readonly StoredTensor[];
}

/**
 * @param settingsOf a module's scale, and rank, where its file has no alpha for it
 * @param label what messages call the file
 * @throws PeruError `mismatch` for factors without their other half, or of ranks or shapes that do
 *   not belong together; `unsupported` for dtypes that are not read
 */
export function groupFactors(
  tensors: ReadonlyMap<string, StoredTensor>,
  settingsOf: SettingsOf,
  label: string,
): GroupedFactors {
  const parts = new Map<string, Parts>();
  const others: StoredTensor[] = [];
  for (const [name, tensor] of tensors) {
    const found = factorName(name);
    if (found === null) {
      others.push(tensor);
      continue;
    }
    const { spelling, side, key } = found;
    const own = parts.get(key) ?? { key, spelling };
    if (own[side] !== undefined) throw twice(label, key);
    own[side] = tensor;
    parts.set(key, own);
  }
  const taken = new Set<StoredTensor>();
  for (const tensor of others) {
    const own = parts.get(biasedModule(tensor.name) ?? '');
    // A table's factors are no layers: nothing is added to what they give.
    if (own?.spelling.ends.bias === undefined) continue;
    if (own.bias !== undefined) throw twice(label, own.key);
    own.bias = tensor;
    taken.add(tensor);
  }
  const modules = [...parts.values()].map((one) => {
    const alpha = tensors.get(alphaName(one.key)) ?? null;
    if (alpha !== null) taken.add(alpha);
    return moduleOf(one, alpha, settingsOf(one.key), label);
  });
  return { modules, carried: others.filter((tensor) => !taken.has(tensor)) };
}

function moduleOf(
  { key, spelling, up, down, mid, bias }: Parts,
  alpha: StoredTensor | null,
  configured: ConfiguredModule,
  label: string,
): LoraFileModule {
  if (up === undefined || down === undefined) throw halfMissing(label, key, up ?? down ?? mid!);
  for (const tensor of [up, down, mid, bias]) if (tensor !== undefined) checkDtype(tensor, label);
  if (alpha !== null && (alpha.elementCount !== 1 || !isNumber(alpha))) {
    throw new PeruError(
      'mismatch',
      `"${alpha.name}" of ${label} is ${alpha.dtype} ${listShape(alpha.shape)}, where one number belongs.`,
      DOWNLOAD_AGAIN,
    );
  }
  const shapes = shapesOf({ up, down, mid: mid ?? null }, spelling);
  if (shapes === null) throw apart(label, key, { up, down, mid: mid ?? null });
  checkBias(bias, shapes.rows, label);
  const { rank, scale: configuredScale } = configured;
  if (alpha === null && rank !== null && rank !== shapes.rank) {
    throw otherRank(label, key, shapes.rank, rank);
  }
  const whole = { up, down, mid: mid ?? null, alpha, bias: bias ?? null };
  return { key, spelling, ...whole, configuredScale, ...shapes };
}

type Shapes = Pick<LoraFileModule, 'rank' | 'rows' | 'columns' | 'inputShape'>;

/** Null where they do not belong together. */
function shapesOf(
  { up, down, mid }: Pick<LoraFileModule, 'up' | 'down' | 'mid'>,
  { isTransposed }: Spelling,
): Shapes | null {
  if (isTransposed) {
    const [ofUp, out, ...restOfUp] = up.shape;
    const [input, ofDown, ...restOfDown] = down.shape;
    if (restOfUp.length + restOfDown.length > 0) return null;
    return shapes(ofUp, ofDown, out, [input ?? 0]);
  }
  const [out, ofUp, ...pointsOfUp] = up.shape;
  const [ofDown, ...input] = down.shape;
  if (pointsOfUp.some((size) => size !== 1) || input.length === 0) return null;
  if (mid === null) return shapes(ofUp, ofDown, out, input);
  const [inner, outer, ...kernel] = mid.shape;
  const [channels, ...points] = input;
  const isCore = inner === ofUp && outer === ofDown && points.every((size) => size === 1);
  if (!isCore || kernel.length === 0) return null;
  // Folded into down, the core leaves the rank of up.
  return shapes(ofUp, ofUp, out, [channels!, ...kernel]);
}

function shapes(
  ofUp: number | undefined,
  ofDown: number | undefined,
  out: number | undefined,
  inputShape: readonly number[],
): Shapes | null {
  const columns = inputShape.reduce((product, size) => product * size, 1);
  if (ofUp === undefined || ofUp !== ofDown || ofUp < 1 || (out ?? 0) < 1 || columns < 1)
    return null;
  return { rank: ofUp, rows: out!, columns, inputShape };
}

/** Alpha is a whole number where a trainer saved what it was told. */
function isNumber(alpha: StoredTensor): boolean {
  return isReadable(alpha) || alpha.dtype === 'I64' || alpha.dtype === 'I32';
}

/** F64 is read, and written as F32. */
function isReadable({ dtype }: StoredTensor): boolean {
  return isFloatDtype(dtype) || dtype === 'F64';
}

function checkDtype(tensor: StoredTensor, label: string): void {
  if (isReadable(tensor)) return;
  throw new PeruError(
    'unsupported',
    `"${tensor.name}" of ${label} is stored as ${tensor.dtype}: factors are read as F32, F16 or BF16.`,
    'Convert the file to F16 with the program that made it; leave it out to go on with the others.',
  );
}

function checkBias(bias: StoredTensor | undefined, rows: number, label: string): void {
  if (bias === undefined || String(bias.shape) === String(rows)) return;
  throw new PeruError(
    'mismatch',
    `"${bias.name}" of ${label} is ${listShape(bias.shape)}, where a number for each of ${rows} outputs belongs.`,
    DOWNLOAD_AGAIN,
  );
}

function halfMissing(label: string, key: string, present: StoredTensor): PeruError {
  return new PeruError(
    'mismatch',
    `${label} has one factor of "${key}" alone ("${present.name}"): a product takes two.`,
    DOWNLOAD_AGAIN,
  );
}

function apart(
  label: string,
  key: string,
  { up, down, mid }: Pick<LoraFileModule, 'up' | 'down' | 'mid'>,
): PeruError {
  const tensors = [down, ...(mid === null ? [] : [mid]), up];
  const told = tensors.map(({ name, shape }) => `"${name}" ${listShape(shape)}`).join(', ');
  return new PeruError(
    'mismatch',
    `The factors of "${key}" in ${label} do not belong together: ${told}.`,
    DOWNLOAD_AGAIN,
  );
}

function otherRank(label: string, key: string, found: number, said: number): PeruError {
  return new PeruError(
    'mismatch',
    `"${key}" of ${label} has rank ${found} in its file, but its configuration says ${said} (r, rank_pattern).`,
    'Keep the configuration and the weights of one save together: they say how factors are scaled.',
  );
}

function twice(label: string, key: string): PeruError {
  return new PeruError(
    'mismatch',
    `${label} has two adaptations of ${listNames([key])}, in two spellings.`,
    DOWNLOAD_AGAIN,
  );
}
