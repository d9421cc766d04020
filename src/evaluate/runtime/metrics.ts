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

/**
 * Spearman's rank correlation, ties at the mean of their ranks, as scipy's `spearmanr`. Where one
 * side is constant it is undefined (scipy: nan) and given as 0: such answers rank nothing.
 *
 * @returns from -1 to 1
 */
export function spearman(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} values beside ${b.length}.`);
  const [ranksA, ranksB] = [averageRanks(a), averageRanks(b)];
  const middle = (a.length + 1) / 2;
  let [product, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [ranksA[i]! - middle, ranksB[i]! - middle];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return squareA === 0 || squareB === 0 ? 0 : product / Math.sqrt(squareA * squareB);
}

/** Rank of each value from 1; equal values share the mean of the ranks they take up. */
function averageRanks(values: ArrayLike<number>): Float64Array {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const ranks = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    const mean = (start + 1 + end) / 2;
    for (const i of order.slice(start, end)) ranks[i] = mean;
    start = end;
  }
  return ranks;
}
