/**
 * How a group's task vectors become one model: what a merger says, and what every engine carries
 * out. A further way to merge is a member of this union: whatever can not carry it out yet takes a
 * `LinearMerge`, and the type checker names it.
 */
export type MergePlan = LinearMerge;

/** theta* = theta_0 + sum_t c_t (theta_t - theta_0). */
export interface LinearMerge {
  readonly kind: 'linear';
  /** c_t, one a task, in the group's order. */
  readonly coefficients: readonly number[];
}

/** @param coefficients c_t, one a task, in the group's order */
export function linearMerge(coefficients: readonly number[]): LinearMerge {
  return { kind: 'linear', coefficients };
}

/** Tasks that the plan is made for: an engine refuses it for a group of any other number. */
export function plannedTasks(plan: MergePlan): number {
  return plan.coefficients.length;
}
