// One-sided Jacobi on the core (Hestenes 1958; Demmel and Veselić 1992): pairs of columns of X are
// rotated until all are orthogonal, X V = U S. Each round of the circle method rotates disjoint
// pairs at once, and b - 1 rounds (b even) meet every pair. Convergence is relative, so small
// singular values are as orthogonal as large ones. A core is done after a sweep without a rotation.
//
// One workgroup a core, a team of lanes a pair. Flops a pair and sweep: 6 an element of X for the
// dot products, 6 an element of X and V for the rotation.

import package::shared::index::{Grid, group_of};
import package::shared::lowrank_tables::{Fact, Product, Side};
// shared/jacobi_workgroup.wgsl or shared/jacobi_storage.wgsl.
import core::{
  close_core, core_barrier, core_value, LANES, LEAST_TEAM, open_core, rotation_value,
  set_core_value, set_rotation_value,
};

struct Params {
  first_job: u32,
  job_count: u32,
  sweeps: u32,
  // The part of each sweep that this dispatch does: rounds first_round .. end_round.
  first_round: u32,
  end_round: u32,
}

var<uniform> params: Params;
var<storage, read> jobs: array<vec4<u32>>; // product
var<storage, read> sides: array<Side>;
var<storage, read> products: array<Product>;
var<storage, read_write> facts: array<Fact>;

// Cosine above which a pair is rotated, for columns of up to 16 entries: four times the unit
// roundoff of a dot product; for longer ones it grows as the rounding of a sum does, by the root.
const TOLERANCE = 0x1p-22;
// Squared norms below this are those of zero columns: X's largest is about 1 or above.
const ZERO_SQUARED = 0x1p-100;

// Of each lane: pᵀp, qᵀq, pᵀq over its rows.
var<workgroup> sh_dots: array<vec4<f32>, LANES>;
var<workgroup> sh_rotated: atomic<u32>;
var<workgroup> sh_word: u32;

// The pair of a round (circle method): the last player stays, the others go round.
fn pair_of(players: u32, round: u32, pair: u32) -> vec2<u32> {
  let ring = players - 1u;
  if (pair == 0u) {
    return vec2(round, ring);
  }
  let one = (round + pair) % ring;
  let other = (round + ring - pair) % ring;
  return vec2(min(one, other), max(one, other));
}

// Sine s of the angle that makes columns with these dot products orthogonal, the smaller of both,
// and τ = s / (1 + cosine). Rotating by p - s (q + τ p) and q + s (p - τ q) keeps norms where the
// cosine rounds to 1 (Rutishauser 1966): else V would grow over hundreds of small rotations.
fn rotation_of(pp: f32, qq: f32, pq: f32) -> vec2<f32> {
  let zeta = (qq - pp) / (2.0 * pq);
  let size = abs(zeta);
  // Where its square would overflow, the root is the number itself.
  let root = select(sqrt(1.0 + size * size), size, size > 0x1p30);
  let tangent = select(1.0, -1.0, zeta < 0.0) / (size + root);
  let squared = 1.0 + tangent * tangent;
  // A Newton step makes up for an imprecise inverseSqrt.
  let guess = inverseSqrt(squared);
  let cosine = guess * (1.5 - 0.5 * squared * guess * guess);
  let sine = cosine * tangent;
  return vec2(sine, sine / (1.0 + cosine));
}

// Four rows of two columns of X.
fn rotate_core(p: u32, q: u32, turn: vec2<f32>) {
  let x = core_value(p);
  let y = core_value(q);
  set_core_value(p, x - turn.x * (y + turn.y * x));
  set_core_value(q, y + turn.x * (x - turn.y * y));
}

// Four rows of two columns of the rotations.
fn rotate_rotation(p: u32, q: u32, turn: vec2<f32>) {
  let x = rotation_value(p);
  let y = rotation_value(q);
  set_rotation_value(p, x - turn.x * (y + turn.y * x));
  set_rotation_value(q, y + turn.x * (x - turn.y * y));
}

// One round; rows are counted in vectors.
// Every invocation must come here, in uniform control flow.
fn rotate_pairs(lane: u32, round: u32, rows: u32, columns: u32, tolerance: f32) {
  let players = columns + (columns & 1u);
  let pairs = players / 2u;
  var team = LANES;
  while (team > LEAST_TEAM && LANES / team < pairs) {
    team /= 2u;
  }
  let teams = LANES / team;
  let member = lane % team;
  for (var first = 0u; first < pairs; first += teams) {
    let pair = first + lane / team;
    let at = pair_of(players, round, min(pair, pairs - 1u));
    // An odd number of columns leaves one out each round.
    let real = pair < pairs && at.y < columns;
    var dots = vec4(0.0);
    if (real) {
      for (var row = member; row < rows; row += team) {
        let x = core_value(at.x * rows + row);
        let y = core_value(at.y * rows + row);
        dots += vec4(dot(x, x), dot(y, y), dot(x, y), 0.0);
      }
    }
    sh_dots[lane] = dots;
    workgroupBarrier();
    dots = vec4(0.0);
    for (var i = 0u; i < team; i++) {
      dots += sh_dots[lane - member + i];
    }
    let limit = tolerance * sqrt(dots.x) * sqrt(dots.y);
    if (real && min(dots.x, dots.y) >= ZERO_SQUARED && abs(dots.z) > limit) {
      // Columns are not put in order of size as they meet (de Rijk 1989): with rounds of disjoint
      // pairs that doubled the sweeps.
      let turn = rotation_of(dots.x, dots.y, dots.z);
      for (var row = member; row < rows; row += team) {
        rotate_core(at.x * rows + row, at.y * rows + row, turn);
      }
      let height = (columns + 3u) / 4u;
      for (var row = member; row < height; row += team) {
        rotate_rotation(at.x * height + row, at.y * height + row, turn);
      }
      if (member == 0u) {
        atomicStore(&sh_rotated, 1u);
      }
    }
    core_barrier();
  }
}

@compute @workgroup_size(LANES)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.job_count) {
    return;
  }
  let at = jobs[params.first_job + index].x;
  if (lane == 0u) {
    sh_word = facts[at].unsettled;
    atomicStore(&sh_rotated, facts[at].rotated);
  }
  if (workgroupUniformLoad(&sh_word) == 0u) {
    return;
  }
  let entries = max(sides[2u * at].reflectors, sides[2u * at + 1u].reflectors);
  let columns = sides[2u * at].triplets;
  let tolerance = TOLERANCE * max(1.0, sqrt(f32(entries)) / 4.0);
  let rows = (entries + 3u) / 4u;
  let rotations_size = columns * ((columns + 3u) / 4u);
  open_core(lane, products[at], rows * columns, rotations_size);
  let rounds = columns + (columns & 1u) - 1u;
  for (var sweep = 0u; sweep < params.sweeps; sweep++) {
    for (var round = params.first_round; round < min(params.end_round, rounds); round++) {
      rotate_pairs(lane, round, rows, columns, tolerance);
    }
    workgroupBarrier();
    let ends_sweep = params.end_round >= rounds && params.first_round < rounds;
    if (lane == 0u) {
      sh_word = atomicLoad(&sh_rotated);
      facts[at].rotated = sh_word;
      if (ends_sweep) {
        facts[at].rotated = 0u;
        facts[at].sweeps += 1u;
        facts[at].unsettled = sh_word;
        atomicStore(&sh_rotated, 0u);
      }
    }
    if (workgroupUniformLoad(&sh_word) == 0u) {
      break;
    }
  }
  close_core(lane, products[at], rows * columns, rotations_size);
}
