// The demo's results as plain text tables.

/** @param result one results.json object (docs/FORMATS.md) */
export function formatDemo(demo, result) {
  const { adapter, engine, recipe } = result;
  const methods = Object.keys(result.average).sort(byListing);
  const accuracy = [
    ['task', 'metric', 'n', ...methods],
    ...result.tasks.map(({ name, metric, n, scores }) => [
      name,
      METRICS[metric] ?? metric,
      String(n),
      ...methods.map((m) => percent(scores[m])),
    ]),
    ['Average', '', '', ...methods.map((m) => percent(result.average[m]))],
  ];
  const storage = [
    ['method', 'files', 'bytes'],
    ...result.storage.map(({ method, files, bytes }) => [
      method,
      String(files.length),
      bytes.toLocaleString('en'),
    ]),
  ];
  const seconds = Object.entries(result.seconds).map(
    ([stage, value]) => `${stage} ${value.toFixed(1)} s`,
  );
  return [
    `\nDemo ${demo}: ${JSON.stringify(recipe)}`,
    `Engine ${engine} on ${adapterName(adapter)}`,
    `\nScores by task (%, correlations x 100)\n${table(accuracy)}`,
    `\nStorage\n${table(storage)}`,
    `\n${seconds.join(', ')}`,
  ].join('\n');
}

function adapterName({ vendor, architecture, description, fallback }) {
  const name =
    [vendor, architecture, description].filter(Boolean).join(' ') || 'an unnamed adapter';
  return fallback ? `${name} (software adapter)` : name;
}

/** As the tables name them. */
const METRICS = { accuracy: 'accuracy', spearman: "Spearman's rho" };

/** Baselines first, then each family of methods by its share of kept entries, or its rank. */
function byListing(a, b) {
  const order = ['pretrained', 'finetuned', 'merged', 'post-pruning', 'peru-fft', 'peru-lora'];
  const [familyA, mA = '0'] = a.split('@');
  const [familyB, mB = '0'] = b.split('@');
  return order.indexOf(familyA) - order.indexOf(familyB) || Number(mA) - Number(mB);
}

function percent(share) {
  return share === undefined ? '' : (100 * share).toFixed(1);
}

/** Left-aligned first column, right-aligned others. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  '),
    )
    .join('\n');
}
