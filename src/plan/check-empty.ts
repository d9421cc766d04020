/** Finds tensors that a trainer saved without their numbers. */
import { emptyTensors } from './group-refusals';
import { leaveOut } from './leave-out';
import { type NamedView } from './named-view';

/**
 * @param isIncluded whether the patterns allow a tensor of the base to be merged
 * @throws PeruError `mismatch` where one of the two holds a tensor empty that the other has
 */
export function checkEmpty(
  base: NamedView,
  task: NamedView,
  isIncluded: (name: string) => boolean,
): void {
  for (const [one, other] of [
    [task, base],
    [base, task],
  ] as const) {
    const names = [...one.tensors.keys()].filter((name) => {
      const [here, there] = [one.tensors.get(name), other.tensors.get(name)];
      return here?.elementCount === 0 && (there?.elementCount ?? 0) > 0 && isIncluded(name);
    });
    if (names.length === 0) continue;
    const stored = names.map((name) => one.tensors.get(name)!.stored);
    throw emptyTensors(one.name, stored, other.name, leaveOut(names, [...base.tensors.keys()]));
  }
}
