/**
 * The same checkpoint with its tensors under the base's names, as everything behind planning asks
 * for them. Tensors that are not renamed keep their names, unless a renamed one has that name.
 *
 * @param storedNames one of `GroupPlan.storedNames`: the base's name -> the name in the file
 */
export function inBaseNames<
  Tensor,
  Checkpoint extends { readonly tensors: ReadonlyMap<string, Tensor> },
>(checkpoint: Checkpoint, storedNames: ReadonlyMap<string, string>): Checkpoint {
  if (storedNames.size === 0) return checkpoint;
  const baseNames = new Map([...storedNames].map(([base, stored]) => [stored, base]));
  const tensors = new Map<string, Tensor>();
  for (const [stored, tensor] of checkpoint.tensors) {
    const name = baseNames.get(stored) ?? stored;
    if (name !== stored || !storedNames.has(name)) tensors.set(name, tensor);
  }
  return { ...checkpoint, tensors };
}
