import { useMemo } from 'react';
import { useStore } from 'zustand';
import { type GroupKind, type MethodId, peruMethod } from '@/recipe/parsed-method';
import { selectCommitted } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { selectScores, selectStorage } from '@/store/results/selectors';
import { resultsStore } from '@/store/state/results';
import { type TradeOffPoint, tradeOffPoints } from '@/store/results/trade-off';
import { scoredTasks, selectGroup, selectKind } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { TradeOffChart } from '@/ui/charts/trade-off-chart';
import { Section } from '@/ui/components/section';
import { bytes, inText, percent, percentInText } from '@/ui/words/format';
import { methodLabel } from '@/ui/words/method-label';
import { averageNoun } from '@/ui/words/score-words';
import { useWaiting } from '@/ui/hooks/use-waiting';
import styles from './trade-off-panel.module.css';

/** Accuracy against bytes, as a chart, as a sentence and as a table. */
export function TradeOffPanel() {
  const group = useStore(sourcesStore, selectGroup);
  const scores = useStore(resultsStore, selectScores);
  const storage = useStore(resultsStore, selectStorage);
  const kind = useStore(sourcesStore, selectKind);
  const current = peruMethod(kind, useStore(recipeStore, selectCommitted));
  const waiting = useWaiting();
  const points = useMemo(
    () => tradeOffPoints(scoredTasks(group), scores, storage, kind),
    [group, scores, storage, kind],
  );
  if (group?.noAccuracyBecause != null) return null;
  const summary =
    summaryOf(points, current, kind) ??
    waiting('Points appear as their averages and sizes are known.');
  return (
    <Section title="Accuracy against bytes" lead={summary}>
      <TradeOffChart
        points={points}
        current={current}
        kind={kind}
        noun={averageNoun(group)}
        summary={summary}
      />
      {points.length > 0 && (
        <details className={styles.details}>
          <summary>Show these points as a table</summary>
          <PointTable points={points} kind={kind} noun={averageNoun(group)} />
        </details>
      )}
    </Section>
  );
}

interface PointTableProps {
  readonly points: readonly TradeOffPoint[];
  readonly kind: GroupKind;
  readonly noun: string;
}

function PointTable({ points, kind, noun }: PointTableProps) {
  return (
    <table className={styles.table} aria-label="Accuracy against bytes">
      <thead>
        <tr>
          <th scope="col">Method</th>
          <th scope="col">{kind === 'adapters' ? 'Beside the base' : 'Bytes'}</th>
          <th scope="col">{`${noun.charAt(0).toUpperCase()}${noun.slice(1)}`}</th>
        </tr>
      </thead>
      <tbody>
        {points.map((point) => (
          <tr key={point.method}>
            <th scope="row">{methodLabel(point.method, kind)}</th>
            <td>{bytes(point.bytes)}</td>
            <td>{percent(point.value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What the chart shows, in words; null before there is anything to compare. */
function summaryOf(
  points: readonly TradeOffPoint[],
  current: MethodId,
  kind: GroupKind,
): string | null {
  const named = (family: TradeOffPoint['family']) => points.find((one) => one.family === family);
  const [finetuned, merged] = [named('finetuned'), named('merged')];
  if (finetuned === undefined || merged === undefined) return null;
  const models = kind === 'adapters' ? 'adapters' : 'fine-tunes';
  const mergedName = kind === 'adapters' ? 'The merged adapters' : 'The merged model';
  const ends = `${mergedName}: ${inWords(merged)}. All ${models}: ${inWords(finetuned)}.`;
  const best =
    points.find(({ method }) => method === current) ??
    points.filter(({ family }) => family.startsWith('peru')).at(-1);
  if (best === undefined) return ends;
  return `${ends} ${inText(methodLabel(best.method, kind))}: ${inWords(best)}.`;
}

function inWords({ value, bytes: size }: TradeOffPoint): string {
  return `${percentInText(value)} in ${inText(bytes(size))}`;
}
