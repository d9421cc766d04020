/** From logits to counts. Pure. */

/** Index of the largest value of each row, the first of equals, as numpy and torch give it. */
export function argmaxRows(values: Float32Array, columnCount: number): Int32Array {
  const rowCount = columnCount === 0 ? 0 : values.length / columnCount;
  return Int32Array.from({ length: rowCount }, (_, row) => {
    const start = row * columnCount;
    let best = 0;
    for (let column = 1; column < columnCount; column++) {
      if (values[start + column]! > values[start + best]!) best = column;
    }
    return best;
  });
}

/** How many predictions equal their label. */
export function countCorrect(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  if (predictions.length !== labels.length) {
    throw new RangeError(`${predictions.length} predictions for ${labels.length} labels.`);
  }
  let correct = 0;
  for (let i = 0; i < predictions.length; i++) if (predictions[i] === labels[i]) correct++;
  return correct;
}
