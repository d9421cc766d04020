import { type ReactNode } from 'react';
import { useStore } from 'zustand';
import { selectEngine } from '@/store/job/selectors';
import { jobStore } from '@/store/state/job';
import { type MemoryReport, type Preflight } from '@/store/sources/preflight';
import { bytes, inText } from '@/ui/words/format';
import { measuredText, modeText } from '@/ui/words/preflight-text';
import styles from './preflight-costs.module.css';

interface PreflightCostsProps {
  readonly preflight: Preflight;
  /** The most that was held in fact; null before anything was. */
  readonly measuredBytes: number | null;
}

/** Bytes to move, memory against the budget, and room on the disk. */
export function PreflightCosts({ preflight, measuredBytes }: PreflightCostsProps) {
  const { bytes: tally, memory } = preflight;
  return (
    <dl className={styles.costs}>
      {tally.toFetchBytes > 0 || tally.keptBytes > 0 ? (
        <Cost
          name="To fetch"
          value={tally.toFetchBytes === 0 ? 'Nothing' : bytes(tally.toFetchBytes)}
        >
          {tally.keptBytes > 0
            ? `${inText(bytes(tally.keptBytes))} of ${inText(bytes(tally.neededBytes))} are kept on this disk from before.`
            : 'Only the tensors that the job needs.'}
        </Cost>
      ) : (
        <Cost name="To read" value={bytes(tally.neededBytes)}>
          From this disk, in slices.
        </Cost>
      )}
      <DiskCost memory={memory} />
      <MemoryCost memory={memory} measuredBytes={measuredBytes} />
    </dl>
  );
}

/** Only what is fetched is kept. */
function DiskCost({ memory }: { readonly memory: MemoryReport }) {
  const { diskBytes, freeDiskBytes } = memory;
  if (diskBytes === 0) return null;
  const lacks = freeDiskBytes !== null && freeDiskBytes < diskBytes;
  return (
    <Cost name="To keep on this disk" value={bytes(diskBytes)} isTooMuch={lacks}>
      {freeDiskBytes === null
        ? 'This browser does not tell how much room there is.'
        : `The browser has ${inText(bytes(freeDiskBytes))} for this page${lacks ? ': not enough for all of it' : ''}.`}
    </Cost>
  );
}

interface MemoryCostProps {
  readonly memory: MemoryReport;
  readonly measuredBytes: number | null;
}

function MemoryCost({ memory, measuredBytes }: MemoryCostProps) {
  const engine = useStore(jobStore, selectEngine);
  const isGpu = engine?.engine !== 'processor';
  const { peakBytes, budgetBytes, parts } = memory;
  return (
    <div className={styles.memory}>
      <dt className={styles.name}>{isGpu ? 'GPU memory' : 'Memory'}</dt>
      <dd className={styles.value} data-too-much={peakBytes > budgetBytes}>
        {bytes(peakBytes)} <small>of a budget of {inText(bytes(budgetBytes))}</small>
      </dd>
      <dd>
        <MemoryBar memory={memory} measuredBytes={measuredBytes} />
        <ul className={styles.parts} aria-label="What the planned memory is made of">
          {parts.map(({ label, bytes: size }, i) => (
            <li key={label} className={styles.part} data-part={i % PART_LOOKS}>
              {label} <span className={styles.size}>{bytes(size)}</span>
            </li>
          ))}
        </ul>
      </dd>
      {measuredBytes !== null && (
        <dd className={styles.measured}>
          Measured at most: <strong>{measuredText(measuredBytes, memory)}</strong>
        </dd>
      )}
      <dd className={styles.note}>{modeText(memory, isGpu ? 'on the GPU' : 'in memory')}</dd>
    </div>
  );
}

/** Parts are told apart by as many looks as the style sheet has. */
const PART_LOOKS = 5;

/** The planned parts on a scale that ends with the budget, or with the plan where that is more. */
function MemoryBar({ memory, measuredBytes }: MemoryCostProps) {
  const { peakBytes, budgetBytes, parts } = memory;
  const end = Math.max(peakBytes, budgetBytes, measuredBytes ?? 0, 1);
  const share = (size: number): string => `${(100 * size) / end}%`;
  return (
    <div className={styles.track} aria-hidden="true">
      {parts.map(({ label, bytes: size }, i) => (
        <span
          key={label}
          className={styles.fill}
          data-part={i % PART_LOOKS}
          style={{ width: share(size) }}
        />
      ))}
      <span className={styles.tick} data-tick="budget" style={{ left: share(budgetBytes) }} />
      {measuredBytes !== null && (
        <span className={styles.tick} data-tick="measured" style={{ left: share(measuredBytes) }} />
      )}
    </div>
  );
}

interface CostProps {
  readonly name: string;
  readonly value: string;
  readonly isTooMuch?: boolean;
  readonly children: ReactNode;
}

function Cost({ name, value, isTooMuch = false, children }: CostProps) {
  return (
    <div className={styles.cost}>
      <dt className={styles.name}>{name}</dt>
      <dd className={styles.value} data-too-much={isTooMuch}>
        {value}
      </dd>
      <dd className={styles.note}>{children}</dd>
    </div>
  );
}
