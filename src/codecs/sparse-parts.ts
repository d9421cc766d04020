/** Names of a sparse file's tensors: what it holds of a tensor NAME of the merged model. */

export type SparsePart = 'values' | 'scale' | 'gaps';

/** `NAME.values`, … */
export function partName(name: string, part: SparsePart): string {
  return `${name}.${part}`;
}

/** NAME of `NAME.values`, …; null for what is called otherwise. */
export function wholeName(partsName: string, part: SparsePart): string | null {
  const ending = partName('', part);
  return partsName.endsWith(ending) ? partsName.slice(0, -ending.length) : null;
}
