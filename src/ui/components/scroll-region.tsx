import { type ReactNode, useLayoutEffect, useRef } from 'react';
import styles from './scroll-region.module.css';

interface ScrollRegionProps {
  readonly name: string;
  /** Shows the last columns first where not all have room. */
  readonly startAtEnd?: boolean;
  /** Many rows: they scroll inside, between the table's head and foot. */
  readonly isTall?: boolean;
  readonly children: ReactNode;
}

/** Holds what may be larger than the screen: it scrolls by itself, also from the keyboard. */
export function ScrollRegion(props: ScrollRegionProps) {
  const { name, startAtEnd = false, isTall = false, children } = props;
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (startAtEnd && ref.current !== null) ref.current.scrollLeft = ref.current.scrollWidth;
  }, [startAtEnd]);
  return (
    // The keyboard scrolls only what it can reach: WCAG 2.1.1.
    <div
      ref={ref}
      className={`${styles.region} ${isTall ? styles.tall : ''}`}
      role="region"
      aria-label={name}
      tabIndex={0}
    >
      {children}
    </div>
  );
}
