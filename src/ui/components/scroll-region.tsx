import { type ReactNode } from 'react';
import styles from './scroll-region.module.css';

interface ScrollRegionProps {
  readonly name: string;
  readonly children: ReactNode;
}

/** Holds what may be wider than the screen: it scrolls by itself, also from the keyboard. */
export function ScrollRegion({ name, children }: ScrollRegionProps) {
  return (
    // The keyboard scrolls only what it can reach: WCAG 2.1.1.
    <div className={styles.region} role="region" aria-label={name} tabIndex={0}>
      {children}
    </div>
  );
}
