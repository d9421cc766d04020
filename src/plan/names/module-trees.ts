/**
 * Compares two models as trees of modules, to tell towers apart that share the names of their
 * layers: what they are made of beside these differs.
 */

export interface ModuleComparison {
  /** A module that both have holds, in each, something the other lacks: it is not the same one. */
  readonly conflict: boolean;
  /** Children that modules of both have in the base alone, e.g. further layers. */
  readonly missing: number;
}

/** @param names of tensors, without what stands before the part of the model that is compared */
export function compareModules(
  baseNames: readonly string[],
  names: readonly string[],
): ModuleComparison {
  const base = childrenByModule(baseNames);
  const other = childrenByModule(names);
  let [conflict, missing] = [false, 0];
  for (const [module, children] of other) {
    const baseChildren = base.get(module);
    if (baseChildren === undefined) continue;
    const lacking = countOutside(baseChildren, children);
    missing += lacking;
    conflict ||= lacking > 0 && countOutside(children, baseChildren) > 0;
  }
  return { conflict, missing };
}

/** Deeper modules are not compared: no model nests so far, and a hostile name could. */
const MAX_DEPTH = 32;

/** The root is left out: heads and towers come and go there. */
function childrenByModule(names: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const modules = new Map<string, Set<string>>();
  for (const name of names) {
    let dot = name.indexOf('.');
    for (let depth = 0; dot >= 0 && depth < MAX_DEPTH; depth++) {
      const next = name.indexOf('.', dot + 1);
      const module = name.slice(0, dot);
      const children = modules.get(module) ?? new Set();
      modules.set(module, children.add(name.slice(dot + 1, next < 0 ? undefined : next)));
      dot = next;
    }
  }
  return modules;
}

function countOutside(names: ReadonlySet<string>, others: ReadonlySet<string>): number {
  let count = 0;
  for (const name of names) if (!others.has(name)) count++;
  return count;
}
