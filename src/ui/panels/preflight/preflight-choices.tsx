import { type ReactNode, useId, useState } from 'react';
import { useStore } from 'zustand';
import { replan } from '@/store/actions/job';
import { selectBudget, settingsStore } from '@/store/state/settings';
import { readPatterns, writePatterns } from '@/store/sources/patterns';
import { type MemoryReport, type Preflight } from '@/store/sources/preflight';
import { selectPatterns, selectShowsReport } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { Button } from '@/ui/components/button';
import { bytes } from '@/ui/words/format';
import styles from './preflight-choices.module.css';

const GIGABYTE = 1e9;

/** The few things that the visitor decides. Each takes effect when its field is left. */
export function PreflightChoices({ preflight }: { readonly preflight: Preflight }) {
  const isReport = useStore(sourcesStore, selectShowsReport);
  return (
    <div role="group" aria-label="Decisions" className={styles.choices}>
      <div className={styles.head}>
        <h3 className={styles.heading}>Decisions</h3>
        <p className={styles.lead}>
          {isReport
            ? 'All optional. Leaving a field makes the report anew.'
            : 'Changing one plans anew and waits for Start, and the results go.'}
        </p>
      </div>
      <BudgetField memory={preflight.memory} />
      {/* Adapters are merged whole. */}
      {preflight.kind === 'full' && <PatternFields />}
    </div>
  );
}

function PatternFields() {
  const { include, exclude } = useStore(sourcesStore, selectPatterns);
  return (
    <>
      <PatternField
        label="Include names"
        applied={include}
        empty="all tensors"
        onApply={(patterns) => {
          void replan({ include: patterns });
        }}
      >
        Only tensors with such a name are merged, e.g. <code>vision_model.*</code>
      </PatternField>
      <PatternField
        label="Exclude names"
        applied={exclude}
        empty="none left out"
        onApply={(patterns) => {
          void replan({ exclude: patterns });
        }}
      >
        These stay as the base has them, e.g. <code>*.bias</code>: * is any run of characters, ? is
        one
      </PatternField>
    </>
  );
}

function BudgetField({ memory }: { readonly memory: MemoryReport }) {
  const id = useId();
  const chosen = useStore(settingsStore, selectBudget);
  const { budgetBytes, suggestedBudgetBytes } = memory;
  const shown = String(Number(((chosen ?? budgetBytes) / GIGABYTE).toPrecision(3)));
  const [typed, setTyped] = useState<string | null>(null);
  const apply = (): void => {
    if (typed === null) return;
    setTyped(null);
    const entered = Number(typed);
    // Left empty, it is the suggested one again; what is no budget at all is taken back.
    if (typed.trim() === '') void replan({ budgetBytes: null });
    else if (typed !== shown && entered > 0) {
      void replan({ budgetBytes: Math.round(entered * GIGABYTE) });
    }
  };
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={styles.label}>
        Memory budget (GB)
      </label>
      <div className={styles.line}>
        <input
          id={id}
          type="number"
          inputMode="decimal"
          min={0}
          step={0.1}
          className={styles.number}
          aria-describedby={`${id}-hint`}
          value={typed ?? shown}
          onChange={(event) => {
            setTyped(event.target.value);
          }}
          onKeyDown={({ key }) => {
            if (key === 'Enter') apply();
          }}
          onBlur={apply}
        />
        {chosen !== null && chosen !== suggestedBudgetBytes && (
          <Button
            look="quiet"
            onClick={() => {
              void replan({ budgetBytes: null });
            }}
          >
            Use {bytes(suggestedBudgetBytes)}
          </Button>
        )}
      </div>
      <p id={`${id}-hint`} className={styles.hint}>
        {bytes(suggestedBudgetBytes)} is suggested for this device. Kept for the next time.
      </p>
    </div>
  );
}

interface PatternFieldProps {
  readonly label: string;
  readonly applied: readonly string[];
  /** What no pattern at all means. */
  readonly empty: string;
  readonly onApply: (patterns: readonly string[]) => void;
  readonly children: ReactNode;
}

function PatternField({ label, applied, empty, onApply, children }: PatternFieldProps) {
  const id = useId();
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={styles.label}>
        {label}
      </label>
      <textarea
        id={id}
        rows={1}
        className={styles.patterns}
        aria-describedby={`${id}-hint`}
        placeholder={empty}
        autoCapitalize="none"
        autoCorrect="off"
        autoComplete="off"
        spellCheck={false}
        value={typed ?? writePatterns(applied)}
        onChange={(event) => {
          setTyped(event.target.value);
        }}
        onBlur={() => {
          if (typed !== null) onApply(readPatterns(typed));
          setTyped(null);
        }}
      />
      <p id={`${id}-hint`} className={styles.hint}>
        {children}
      </p>
    </div>
  );
}
