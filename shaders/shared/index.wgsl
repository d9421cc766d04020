// Position in a folded grid: a dimension takes at most 65,535 workgroups, longer rows go on in y
// (src/gpu/grid.ts). The last row may overshoot, so every kernel checks what it gets from here.

const WORKGROUP_SIZE = 256u;

// What `main` takes beside its lane, which is not uniform and so stands alone.
struct Grid {
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
}

fn group_of(grid: Grid) -> u32 {
  return grid.group.x + grid.group.y * grid.groups.x;
}
