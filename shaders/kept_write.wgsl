// Kept entries of a run of blocks, packed: their values, and the bytes of their distances
// (src/codecs/gaps.ts). A block's first distance reaches back to another block, or chunk: its byte is
// left 0 for src/kernels/operations/encode.ts, which knows. The buffer starts zeroed.
//
// One workgroup a block; a lane gathers bytes into words, and words that two lanes or two blocks share
// are joined by atomics. Entries are decoded one by one: even at 10 % a unit of eight keeps fewer than
// one on average. Bytes an element: 1/8 read, and of center and task (4 in halves, up to 8) the units
// that keep any: 8 % of them at 1 %, 57 % at 10 %, where kept entries are spread evenly. A kept entry's
// value and 1.0 to 1.1 bytes of gaps are written. About 6 operations a word of bits, 75 a kept entry in
// F16.

import package::shared::block::Block;
import package::shared::delta::{blocks, center, CENTER_DTYPE, params, task, TASK_DTYPE};
import package::shared::dtype::{decode_words, F32};
import package::shared::index::{Grid, group_of};
import package::shared::kept_parts::{block_bits, lane_words, part_of, SKIP, Tally, tally_before};
import package::shared::scan::SCAN_SIZE;
// shared/value_float.wgsl or shared/value_i8.wgsl.
import value::stored_bits;

// By block: the byte where its values start, and that of its gaps.
var<storage, read> places: array<vec2<u32>>;
var<storage, read_write> encoded: array<atomic<u32>>;
var<uniform> target_params: TargetParams;

struct TargetParams {
  value_dtype: u32,
  value_bytes: u32,
}

// Fills a word, and hands it over when the next one begins.
struct WordWriter {
  word: u32,
  bits: u32,
}

// `code` lies in the low bytes and does not cross a word.
fn put(writer: WordWriter, byte: u32, code: u32) -> WordWriter {
  var next = writer;
  if (byte / 4u != writer.word) {
    flush(writer);
    next = WordWriter(byte / 4u, 0u);
  }
  next.bits |= code << (8u * (byte % 4u));
  return next;
}

fn flush(writer: WordWriter) {
  if (writer.bits != 0u) {
    atomicOr(&encoded[writer.word], writer.bits);
  }
}

// u of one element, as `load_delta` has it.
fn load_one(at: u32) -> f32 {
  return bitcast<f32>(one_of(at, TASK_DTYPE, true)) - bitcast<f32>(one_of(at, CENTER_DTYPE, false));
}

fn one_of(at: u32, dtype: u32, of_task: bool) -> u32 {
  if (dtype == F32) {
    return word_of(at / 4u, at % 4u, of_task);
  }
  let pair = word_of(at / 8u, (at / 2u) % 4u, of_task);
  let half = select(pair, pair >> 16u, at % 2u == 1u) & 0xffffu;
  return decode_words(vec4(half), dtype).x;
}

fn word_of(vector: u32, component: u32, of_task: bool) -> u32 {
  if (of_task) {
    return task[vector][component];
  }
  return center[vector][component];
}

@compute @workgroup_size(SCAN_SIZE)
fn main(grid: Grid, @builtin(local_invocation_index) lane: u32) {
  let index = group_of(grid);
  if (index >= params.block_count) {
    return;
  }
  let run = blocks[params.first_block + index];
  let part = part_of(run, lane);
  let before = tally_before(lane, part);
  if (part.count == 0u) {
    return;
  }
  let place = places[params.first_block + index];
  write_part(run, lane, part.previous, place.x, place.y, before);
}

fn write_part(run: Block, lane: u32, left: u32, first_value: u32, first_gap: u32, before: Tally) {
  var value_at = first_value + before.count * target_params.value_bytes;
  var gap_at = first_gap + before.count + before.skips;
  var values = WordWriter(value_at / 4u, 0u);
  var gaps = WordWriter(gap_at / 4u, 0u);
  var previous = left;
  let words = lane_words(run, lane);
  for (var word = words.x; word < words.y; word++) {
    for (var bits = block_bits(run, word); bits != 0u; bits &= bits - 1u) {
      let at = 32u * word + countTrailingZeros(bits);
      let code = stored_bits(vec4(load_one(at)), run.tensor, target_params.value_dtype).x;
      values = put(values, value_at, code);
      value_at += target_params.value_bytes;
      if (previous != 0u) {
        var distance = at + 1u - previous;
        for (; distance >= SKIP; distance -= SKIP) {
          gaps = put(gaps, gap_at, SKIP);
          gap_at++;
        }
        gaps = put(gaps, gap_at, distance);
      }
      gap_at++;
      previous = at + 1u;
    }
  }
  flush(values);
  flush(gaps);
}
