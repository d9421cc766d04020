/** How a base stores the weights of its layers, told by what they have beside them. */
import { type PlannedCheckpoint } from '@/plan/checkpoint-facts';
import { type Orientation } from './adapter-shapes';

/** Whether the layer of a weight has a bias, as no table has. */
export function hasBias({ tensors }: PlannedCheckpoint, weight: string): boolean {
  return tensors.has(biasOf(weight));
}

/**
 * `turned` where layers are stored [in, out], as GPT-2's, which all have biases: a bias is as long as
 * its layer has outputs, and so tells of every weight that is not square. Both where layers differ,
 * none where none tells.
 */
export function storedOrientations({ tensors }: PlannedCheckpoint): ReadonlySet<Orientation> {
  const told = new Set<Orientation>();
  for (const [name, { shape }] of tensors) {
    const [rows, columns] = shape;
    const bias = tensors.get(biasOf(name))?.shape;
    if (shape.length !== 2 || bias?.length !== 1 || rows === columns) continue;
    if (bias[0] === rows) told.add('plain');
    if (bias[0] === columns) told.add('turned');
  }
  return told;
}

function biasOf(weight: string): string {
  return weight.replace(/weight$/, 'bias');
}
