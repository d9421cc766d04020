// Kept entries of a block, from the bits that mask.wgsl left: every lane of a workgroup takes a run of
// words, and learns what lies before it in the block.

import package::shared::block::Block;
import package::shared::scan::{exclusive_scan, LARGEST_SCAN, SCAN_SIZE, scan_total};

var<storage, read> kept_bits: array<u32>;

// What a byte of gaps skips without keeping any (src/codecs/gaps.ts).
const SKIP = 255u;

// A lane's kept entries. Positions are counted in the chunk, from 1; 0: none.
struct Part {
  count: u32,
  // Bytes of 255 between its entries, and from the last one before it in the block to its first.
  skips: u32,
  first: u32,
  last: u32,
  // The last kept before it in the block.
  previous: u32,
}

// Entries and skips of the lanes before a lane, or of the whole block: at most 16,384 and 65.
struct Tally {
  count: u32,
  skips: u32,
}

var<workgroup> sh_last: array<u32, LARGEST_SCAN>;

// Words [x, y) of the lane.
fn lane_words(run: Block, lane: u32) -> vec2<u32> {
  let start = run.start / 32u;
  let count = (run.start + run.count + 31u) / 32u - start;
  let per_lane = (count + SCAN_SIZE - 1u) / SCAN_SIZE;
  return vec2(start) + min(vec2(lane, lane + 1u) * per_lane, vec2(count));
}

// The block's bits of a word that it may share with its neighbours.
fn block_bits(run: Block, word: u32) -> u32 {
  let low = max(run.start, 32u * word) - 32u * word;
  let end = min(run.start + run.count, 32u * word + 32u) - 32u * word;
  return kept_bits[word] & (0xffffffffu << low) & (0xffffffffu >> (32u - end));
}

// Entries closer than a word are closer than a skip, so only a word's first needs a look.
// Every invocation of the workgroup must come here, in uniform control flow.
fn part_of(run: Block, lane: u32) -> Part {
  var part = Part(0u, 0u, 0u, 0u, 0u);
  let words = lane_words(run, lane);
  for (var word = words.x; word < words.y; word++) {
    let bits = block_bits(run, word);
    if (bits == 0u) {
      continue;
    }
    let first = 32u * word + countTrailingZeros(bits) + 1u;
    if (part.count == 0u) {
      part.first = first;
    } else {
      part.skips += (first - part.last) / SKIP;
    }
    part.count += countOneBits(bits);
    part.last = 32u * word + firstLeadingBit(bits) + 1u;
  }
  sh_last[lane] = part.last;
  workgroupBarrier();
  for (var before = lane; before > 0u && part.previous == 0u; before--) {
    part.previous = sh_last[before - 1u];
  }
  if (part.count != 0u && part.previous != 0u) {
    part.skips += (part.first - part.previous) / SKIP;
  }
  return part;
}

// One scan for both: a block's skips stay below 2^16, and so do its entries.
// Every invocation of the workgroup must come here, in uniform control flow.
fn tally_before(lane: u32, part: Part) -> Tally {
  return unpacked(exclusive_scan(lane, part.count | (part.skips << 16u)));
}

// Valid after `tally_before`.
fn tally_of_block() -> Tally {
  return unpacked(scan_total());
}

fn unpacked(packed: u32) -> Tally {
  return Tally(packed & 0xffffu, packed >> 16u);
}
