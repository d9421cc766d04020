import { type ReactNode, useId } from 'react';
import styles from './section.module.css';

interface SectionProps {
  readonly title: string;
  readonly children: ReactNode;
  /** One or two sentences under the heading. */
  readonly lead?: ReactNode;
  readonly className?: string | undefined;
}

/** A region of the page, named by its heading. */
export function Section({ title, children, lead, className }: SectionProps) {
  const headingId = useId();
  return (
    <section aria-labelledby={headingId} className={`${styles.section} ${className ?? ''}`}>
      <header className={styles.head}>
        <h2 id={headingId} className={styles.title}>
          {title}
        </h2>
        {lead !== undefined && <p className={styles.lead}>{lead}</p>}
      </header>
      {children}
    </section>
  );
}
