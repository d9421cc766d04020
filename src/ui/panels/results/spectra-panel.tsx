import { useMemo, useState } from 'react';
import { useStore } from 'zustand';
import { type Spectra } from '@/store/state/results';
import { type AdapterKept } from '@/store/recipe/low-rank';
import { selectAdapters, selectGroup, taskCards } from '@/store/sources/selectors';
import { type AdaptedModule, sourcesStore } from '@/store/state/sources';
import { decadesOf } from '@/ui/charts/spectra-layout';
import { SpectraMap } from '@/ui/charts/spectra-map';
import { ScrollRegion } from '@/ui/components/scroll-region';
import { Section } from '@/ui/components/section';
import { SelectField } from '@/ui/components/select-field';
import { count, energyPercent, inText, tiny } from '@/ui/words/format';
import { useDraftAdapters } from '@/ui/hooks/use-adapters';
import { useCutSpectra } from '@/ui/hooks/use-cut-spectra';
import { useRankLimits } from '@/ui/hooks/use-rank-limits';
import { useWaiting } from '@/ui/hooks/use-waiting';
import { SpectraLegend } from './spectra-legend';
import styles from './spectra-panel.module.css';

/** What each module of a task's adapter holds, and where the ranks cut it; adapters only. */
export function SpectraPanel() {
  const contents = useStore(sourcesStore, selectAdapters);
  const kept = useDraftAdapters();
  return contents === null ? null : <ModuleSpectra modules={contents.modules} kept={kept} />;
}

interface ModuleSpectraProps {
  readonly modules: readonly ShownModule[];
  /** Null where it is not known yet. */
  readonly kept: readonly KeptTriplets[] | null;
}

/** The spectra of adapters, or of LoRA files, one at a time. */
export function ModuleSpectra({ modules, kept }: ModuleSpectraProps) {
  const spectra = useCutSpectra();
  const limits = useRankLimits();
  const waiting = useWaiting();
  if (spectra === null || spectra.spectra.length === 0 || limits === null) {
    return (
      <Section title={TITLE} lead={waiting('Drawn when the adapters are factorised.')}>
        <div className={styles.empty} />
      </Section>
    );
  }
  return <Drawn modules={modules} maxRank={limits.maxRank} spectra={spectra} kept={kept} />;
}

type KeptTriplets = Pick<AdapterKept, 'task' | 'ranks' | 'energyShare'>;

const TITLE = 'Singular values by module';

/** Of adapters of a base, or of LoRA files without one. */
type ShownModule = Pick<AdaptedModule, 'name' | 'rows' | 'columns'>;

interface DrawnProps extends ModuleSpectraProps {
  readonly maxRank: number;
  readonly spectra: Spectra;
}

function Drawn({ modules, maxRank, spectra, kept }: DrawnProps) {
  const group = useStore(sourcesStore, selectGroup);
  const [asked, setAsked] = useState('');
  const cards = taskCards(group);
  const shown = spectra.spectra.find(({ task }) => task === asked) ?? spectra.spectra[0];
  const names = useMemo(() => modules.map(({ name }) => name), [modules]);
  const decades = useMemo(
    () => decadesOf(spectra.spectra.flatMap(({ modules }) => modules)),
    [spectra],
  );
  const own = kept?.find(({ task }) => task === shown?.task);
  if (shown === undefined || own === undefined) return null;
  const titleOf = (task: string): string =>
    cards.find(({ name }) => name === task)?.title ?? 'All as one';
  const title = titleOf(shown.task);
  const summary = summaryOf(title, own, shown.modules);
  return (
    <Section title={TITLE} lead={summary}>
      <div className={styles.frame}>
        <div className={styles.head}>
          <SelectField
            label="Adapter shown"
            value={shown.task}
            options={spectra.spectra.map(({ task }) => ({ value: task, label: titleOf(task) }))}
            onChange={setAsked}
          />
          <SpectraLegend decades={decades} />
        </div>
        <SpectraMap
          moduleNames={names}
          spectra={shown.modules}
          ranks={own.ranks}
          decades={decades}
          maxRank={maxRank}
          title={`${TITLE}: ${title}`}
          summary={summary}
        />
        <p className={styles.axes}>
          Across: the block a module belongs to. Down: the index of the singular value, largest
          first.
        </p>
      </div>
      <details className={styles.details}>
        <summary>Show the modules as a table</summary>
        <ModuleTable modules={modules} spectra={shown.modules} ranks={own.ranks} />
      </details>
      <Report spectra={spectra} />
    </Section>
  );
}

function summaryOf(
  title: string,
  { ranks, energyShare }: KeptTriplets,
  spectra: readonly ArrayLike<number>[],
): string {
  const adapted = spectra.filter(({ length }) => length > 0).length;
  const triplets = ranks.reduce((sum, rank) => sum + rank, 0);
  const all = spectra.reduce((sum, { length }) => sum + length, 0);
  const modules = adapted === 1 ? 'one module' : `${count(adapted)} modules`;
  return (
    `${title}: ${count(triplets)} of ${count(all)} singular triplets kept in ${modules}, with ` +
    `${inText(energyPercent(energyShare))} of the energy. Below the line is what the adapter loses.`
  );
}

interface ModuleTableProps {
  readonly modules: readonly ShownModule[];
  readonly spectra: readonly ArrayLike<number>[];
  readonly ranks: readonly number[];
}

function ModuleTable({ modules, spectra, ranks }: ModuleTableProps) {
  return (
    <ScrollRegion name="Singular values by module, scrollable">
      <table className={styles.table} aria-label="Singular values by module">
        <thead>
          <tr>
            <th scope="col">Module</th>
            <th scope="col">Shape</th>
            <th scope="col">Kept</th>
            <th scope="col">Energy</th>
            <th scope="col">Largest σ</th>
            <th scope="col">First σ dropped</th>
          </tr>
        </thead>
        <tbody>
          {modules.map(({ name, rows, columns }, i) => {
            const values = Array.from(spectra[i] ?? []);
            const rank = ranks[i] ?? 0;
            return (
              <tr key={name}>
                <th scope="row">{name.replace(/\.weight$/, '')}</th>
                <td>{`${rows} × ${columns}`}</td>
                <td>{values.length === 0 ? 'not adapted' : `${rank} of ${values.length}`}</td>
                <td>{values.length === 0 ? '–' : energyPercent(energyOf(values, rank))}</td>
                <td>{figure(values[0])}</td>
                <td>{figure(values[rank])}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

/** Kept share of one module's squared norm; 1 where there is none to lose. */
function energyOf(values: readonly number[], rank: number): number {
  const sum = (part: readonly number[]): number => part.reduce((total, x) => total + x * x, 0);
  const total = sum(values);
  return total === 0 ? 1 : sum(values.slice(0, rank)) / total;
}

function figure(value: number | undefined): string {
  return value === undefined ? '–' : String(Number(value.toPrecision(3)));
}

/** How well the factorisation did, for those who ask. */
function Report({ spectra: { report, spectra } }: { readonly spectra: Spectra }) {
  const matrices = spectra.reduce(
    (sum, { modules }) => sum + modules.filter(({ length }) => length > 0).length,
    0,
  );
  const { residual, orthogonality, sweeps, dispatches } = report;
  const how = dispatches > 0 ? `in ${count(dispatches)} dispatches, ` : 'on the processor, ';
  return (
    <p className={styles.report}>
      {count(matrices)} matrices factorised {how}
      {sweeps === 1 ? 'one Jacobi sweep' : `${sweeps} Jacobi sweeps`} at most. Residual at most{' '}
      {tiny(residual)} of each norm; vectors orthonormal to {tiny(orthogonality)}.
    </p>
  );
}
