import { type Finding } from '@/store/sources/preflight';
import { count } from '@/ui/words/format';
import { plural } from '@/ui/words/preflight-text';
import styles from './preflight-findings.module.css';

interface PreflightFindingsProps {
  /** Warnings first, then notes, then what is well. */
  readonly findings: readonly Finding[];
}

/** What was found in the headers: what to look at first, what is well folded away. */
export function PreflightFindings({ findings }: PreflightFindingsProps) {
  const open = findings.filter(({ level }) => level !== 'ok');
  const well = findings.filter(({ level }) => level === 'ok');
  return (
    <div className={styles.findings}>
      <h3 className={styles.heading}>Checked from the headers</h3>
      {open.length > 0 && <FindingList name="To look at" findings={open} />}
      {well.length > 0 && (
        <details className={styles.well}>
          <summary>
            {plural(well.length, 'check')} passed
            {open.length === 0 && ': nothing to look at'}
          </summary>
          <FindingList name="Passed checks" findings={well} />
        </details>
      )}
    </div>
  );
}

interface FindingListProps {
  readonly name: string;
  readonly findings: readonly Finding[];
}

function FindingList({ name, findings }: FindingListProps) {
  return (
    <ul className={styles.list} aria-label={name}>
      {findings.map((finding) => (
        <FindingItem key={`${finding.topic} ${finding.title}`} finding={finding} />
      ))}
    </ul>
  );
}

const MARKS: Readonly<Record<Finding['level'], { readonly mark: string; readonly name: string }>> =
  {
    warning: { mark: '!', name: 'Warning' },
    note: { mark: 'i', name: 'Note' },
    ok: { mark: '✓', name: 'Passed' },
  };

function FindingItem({ finding }: { readonly finding: Finding }) {
  const { level, title, detail, names, moreNames } = finding;
  const { mark, name } = MARKS[level];
  return (
    <li className={styles.finding} data-level={level}>
      <span className={styles.mark} aria-hidden="true">
        {mark}
      </span>
      <div>
        <p className={styles.title}>
          <span className="visually-hidden">{name}: </span>
          {title}
        </p>
        {detail !== '' && <p className={styles.detail}>{detail}</p>}
        {names.length > 0 && (
          <details className={styles.names}>
            <summary>
              Show {plural(names.length, 'tensor')}
              {moreNames > 0 && ` of ${count(names.length + moreNames)}`}
              <span className="visually-hidden">: {title}</span>
            </summary>
            {/* The keyboard scrolls only what it can reach: WCAG 2.1.1. */}
            <ul className={styles.tensors} tabIndex={0} aria-label={`Tensors: ${title}`}>
              {names.map((tensor) => (
                <li key={tensor}>{tensor}</li>
              ))}
              {moreNames > 0 && <li>and {count(moreNames)} more</li>}
            </ul>
          </details>
        )}
      </div>
    </li>
  );
}
