/** What one job took, and how it is told. */
import { type AdapterReport } from '@/tensor/engine';

export interface JobFacts {
  readonly adapter: AdapterReport;
  readonly parameters: number;
  readonly tasks: number;
  readonly readSeconds: number;
  readonly mergeSeconds: number;
  /** Theta* to a file, beside; null: it was not written. */
  readonly writeSeconds: number | null;
  /** All tasks: selection, positions and values. */
  readonly selectSeconds: number;
  readonly enginePeakBytes: number;
}

/** Files to theta* and every task's kept entries in memory. */
export function jobSeconds({ readSeconds, mergeSeconds, selectSeconds }: JobFacts): number {
  return readSeconds + mergeSeconds + selectSeconds;
}

export function describeJob(facts: JobFacts): string {
  const { vendor, architecture, description, fallback } = facts.adapter;
  const { readSeconds, mergeSeconds, selectSeconds, tasks, parameters, enginePeakBytes } = facts;
  return (
    `Peru in Node on ${[vendor, architecture, description].filter(Boolean).join(', ')}` +
    `${fallback ? ' (software)' : ''}: ${jobSeconds(facts).toFixed(1)} s in all: reading ` +
    `${readSeconds.toFixed(2)}, merge ${mergeSeconds.toFixed(2)}, select, positions and values ` +
    `${tasks} x ${(selectSeconds / tasks).toFixed(2)}; ${parameters} parameters; peak of the ` +
    `engine ${(enginePeakBytes / 1e9).toFixed(1)} GB`
  );
}
