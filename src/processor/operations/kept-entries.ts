/** What selections around one center keep of one task vector: counts, energies, bytes, values. */
import { type EncodedTensor, type KeptMeasure, type SelectionStats } from '@/tensor/engine';
import { type ValueDtype } from '@/tensor/dtype';
import { normGain, rescaled } from '@/codecs/norm-gain';
import { VALUE_CODECS } from '@/codecs/value-codecs';
import { type EncodedRun, type PartMeasure, type StoredAs } from '../parts/questions';
import { checkpointsOf, type GroupContext, type SelectionFacts } from '../weights/group-context';
import { askEachChunk } from './each-chunk';
import { countRuns, joinEncoded } from './join-runs';

/**
 * One pass for all selections together.
 *
 * @param selections of one task vector
 */
export async function measureKept(
  { crew, id, pages }: GroupContext,
  selections: readonly SelectionFacts[],
): Promise<KeptMeasure[]> {
  if (selections.length === 0) return [];
  const { of } = selections[0]!;
  const all = selections.map(({ thresholds }) => thresholds);
  const measures: PartMeasure[][] = selections.map(() => []);
  for await (const chunks of pages.walk(checkpointsOf(of))) {
    const parts = await crew.ask((thread) => thread.measureKept(id, chunks, of, all));
    chunks.forEach((_, c) => {
      for (const part of parts) part[c]!.forEach((measure, s) => measures[s]!.push(measure));
    });
  }
  return measures.map((own) => ({
    stats: summedStats(own),
    counts: countRuns(own.flatMap(({ runs }) => runs)),
  }));
}

/** Energies are summed block by block in flat order, whatever thread had them. */
function summedStats(measures: readonly PartMeasure[]): SelectionStats {
  let [kept, nonZero, keptEnergy, totalEnergy] = [0, 0, 0, 0];
  for (const measure of measures) {
    kept += measure.kept;
    nonZero += measure.nonZero;
    for (const energy of measure.keptEnergies) keptEnergy += energy;
    for (const energy of measure.totalEnergies) totalEnergy += energy;
  }
  return { kept, nonZero, keptEnergy, totalEnergy };
}

/** How a selection's values are asked for. */
export interface StoredValues {
  readonly valueDtype: ValueDtype;
  readonly rescaled?: boolean | undefined;
}

/** How a selection's values are stored: where they have scales or gains, a pass finds what these rest on. */
export async function storedAs(
  { crew, id, pages, spec }: GroupContext,
  { of, thresholds }: SelectionFacts,
  { valueDtype, rescaled: isRescaled = false }: StoredValues,
): Promise<StoredAs> {
  const { scaleOf } = VALUE_CODECS[valueDtype];
  if (scaleOf === null && !isRescaled) return { valueDtype, scales: null, gains: null };
  const tensorCount = spec.layout.tensors.length;
  const largest = new Uint32Array(tensorCount);
  const [kept, total] = [new Float64Array(tensorCount), new Float64Array(tensorCount)];
  for await (const chunks of pages.walk(checkpointsOf(of))) {
    const parts = await crew.ask((thread) =>
      thread.keptScales(id, chunks, of, thresholds, isRescaled),
    );
    for (const part of parts) {
      for (let tensor = 0; tensor < tensorCount; tensor++) {
        largest[tensor] = Math.max(largest[tensor]!, part.largest[tensor]!);
        kept[tensor]! += part.keptEnergies[tensor]!;
        total[tensor]! += part.totalEnergies[tensor]!;
      }
    }
  }
  const gains = isRescaled ? Array.from(kept, (energy, t) => normGain(energy, total[t]!)) : null;
  const plain = scaleOf && Array.from(new Float32Array(largest.buffer), scaleOf);
  const scales = plain && gains ? plain.map((scale, t) => rescaled(scale, gains[t]!)) : plain;
  return { valueDtype, scales, gains };
}

/** Every tensor that keeps any, in order, as soon as its last chunk is through. One pass. */
export async function* encodeSelection(
  context: GroupContext,
  selection: SelectionFacts,
  values: StoredValues,
): AsyncGenerator<EncodedTensor> {
  const { id } = context;
  const { of, thresholds } = selection;
  const stored = await storedAs(context, selection, values);
  let open: EncodedRun[] = [];
  const chunks = askEachChunk(context, checkpointsOf(of), (thread, chunk) =>
    thread.encodeKept(id, chunk, of, thresholds, stored),
  );
  for await (const { parts } of chunks) {
    for (const run of parts.flat()) {
      if (open.length > 0 && open[0]!.tensor !== run.tensor) {
        yield joinEncoded(open, stored);
        open = [];
      }
      open.push(run);
    }
  }
  if (open.length > 0) yield joinEncoded(open, stored);
}
