// Elements of a factor as its file holds them, as float32 bits.

import package::shared::dtype::{decode_words, F32};
import package::shared::lowrank_tables::Column;

var<storage, read> values: array<u32>;

fn values_at(column: Column, rows: vec4<u32>) -> vec4<u32> {
  let at = vec4(column.offset) + rows * column.stride;
  if (column.dtype == F32) {
    return vec4(values[at.x], values[at.y], values[at.z], values[at.w]);
  }
  let word = at / vec4(2u);
  let words = vec4(values[word.x], values[word.y], values[word.z], values[word.w]);
  return decode_words((words >> (16u * (at & vec4(1u)))) & vec4(0xffffu), column.dtype);
}

// Zero beyond the last row.
fn four_rows(column: Column, row: u32, length: u32) -> vec4<u32> {
  let rows = vec4(row) + vec4(0u, 1u, 2u, 3u);
  let bits = values_at(column, min(rows, vec4(length - 1u)));
  return select(vec4(0u), bits, rows < vec4(length));
}
