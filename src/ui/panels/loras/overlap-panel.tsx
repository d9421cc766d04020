import { useStore } from 'zustand';
import { selectOverlap } from '@/store/results/selectors';
import { type OverlapFacts, resultsStore } from '@/store/state/results';
import { selectDraft } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { selectLoras } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { ScrollRegion } from '@/ui/components/scroll-region';
import { Section } from '@/ui/components/section';
import { count } from '@/ui/words/format';
import styles from './overlap-panel.module.css';

/** How much the files of a sum have in common: the cosines between what they add. */
export function OverlapPanel() {
  const contents = useStore(sourcesStore, selectLoras);
  const overlap = useStore(resultsStore, selectOverlap);
  const { make } = useStore(recipeStore, selectDraft).lora;
  if (contents === null || overlap === null || make !== 'one') return null;
  const names = contents.files.map(({ name }) => name);
  return (
    <Section title="Overlap" lead={leadText(overlap)}>
      <ScrollRegion name="Overlap, scrollable">
        <table className={styles.table} aria-label="Overlap">
          <thead>
            <tr>
              <td />
              {names.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.map((name, row) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                {names.map((other, column) => (
                  <Cell
                    key={other}
                    cosine={overlap.cosines[row]?.[column] ?? null}
                    isSame={row === column}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollRegion>
    </Section>
  );
}

function Cell({ cosine, isSame }: { readonly cosine: number | null; readonly isSame: boolean }) {
  if (isSame || cosine === null) return <td className={styles.empty}>{isSame ? '' : '–'}</td>;
  return (
    <td className={styles.cell} data-negative={cosine < 0}>
      <span
        className={styles.shade}
        style={{ opacity: Math.min(1, Math.abs(cosine)) }}
        aria-hidden="true"
      />
      <span className={styles.figure}>{shown(cosine)}</span>
    </td>
  );
}

/** Nothing has no sign. */
function shown(cosine: number): string {
  const text = cosine.toFixed(2);
  return Number(text) === 0 ? '0.00' : text.replace('-', '−');
}

function leadText({ modules, ofModules }: OverlapFacts): string {
  const basis =
    modules < ofModules
      ? ` From ${count(modules)} of the ${count(ofModules)} modules that meet.`
      : '';
  return `Cosines between what two files add to the modules they share: 0 where they do not touch each other, 1 where they say the same, below 0 where they undo each other.${basis}`;
}
