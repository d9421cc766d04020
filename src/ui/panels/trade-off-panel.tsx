import { useMemo } from 'react';
import { useStore } from 'zustand';
import { methodLabel } from '@/store/method';
import { selectCommitted } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/recipe/state';
import { selectScores, selectStorage } from '@/store/results/selectors';
import { resultsStore } from '@/store/results/state';
import { type TradeOffPoint, tradeOffPoints } from '@/store/results/trade-off';
import { scoredTasks, selectGroup } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/sources/state';
import { TradeOffChart } from '@/ui/charts/trade-off-chart';
import { Section } from '@/ui/components/section';
import { bytes, inText, percent, percentInText } from '@/ui/format';
import styles from './trade-off-panel.module.css';

/** Accuracy against bytes, as a chart, as a sentence and as a table. */
export function TradeOffPanel() {
  const group = useStore(sourcesStore, selectGroup);
  const scores = useStore(resultsStore, selectScores);
  const storage = useStore(resultsStore, selectStorage);
  const { keptPercent } = useStore(recipeStore, selectCommitted);
  const points = useMemo(
    () => tradeOffPoints(scoredTasks(group), scores, storage),
    [group, scores, storage],
  );
  if (group?.noAccuracyBecause != null) return null;
  const summary = summaryOf(points, keptPercent);
  return (
    <Section title="Accuracy against bytes" lead={summary}>
      <TradeOffChart points={points} keptPercent={keptPercent} summary={summary} />
      {points.length > 0 && (
        <details className={styles.details}>
          <summary>Show these points as a table</summary>
          <PointTable points={points} />
        </details>
      )}
    </Section>
  );
}

function PointTable({ points }: { readonly points: readonly TradeOffPoint[] }) {
  return (
    <table className={styles.table} aria-label="Accuracy against bytes">
      <thead>
        <tr>
          <th scope="col">Method</th>
          <th scope="col">Bytes</th>
          <th scope="col">Accuracy</th>
        </tr>
      </thead>
      <tbody>
        {points.map((point) => (
          <tr key={point.method}>
            <th scope="row">{methodLabel(point.method)}</th>
            <td>{bytes(point.bytes)}</td>
            <td>{percent(point.accuracy)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What the chart shows, in words. */
function summaryOf(points: readonly TradeOffPoint[], keptPercent: number): string {
  const finetuned = points.find(({ family }) => family === 'finetuned');
  const merged = points.find(({ family }) => family === 'merged');
  const peru = points.filter(({ family }) => family === 'peru-fft');
  const best = peru.find(({ percent: m }) => m === keptPercent) ?? peru.at(-1);
  if (finetuned === undefined || merged === undefined) {
    return 'Points appear as their averages and sizes are known.';
  }
  const ends =
    `The merged model: ${percentInText(merged.accuracy)} in ${inText(bytes(merged.bytes))}. ` +
    `All fine-tunes: ${percentInText(finetuned.accuracy)} in ${inText(bytes(finetuned.bytes))}.`;
  if (best === undefined) return ends;
  return `${ends} ${inText(methodLabel(best.method))}: ${percentInText(best.accuracy)} in ${inText(bytes(best.bytes))}.`;
}
