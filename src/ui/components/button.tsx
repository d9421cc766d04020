import { type ReactNode } from 'react';
import styles from './button.module.css';

interface ButtonProps {
  readonly children: ReactNode;
  readonly onClick: () => void;
  /** `quiet` has no border; `strong` is the one thing to do next. */
  readonly look?: 'plain' | 'quiet' | 'strong';
  readonly disabled?: boolean;
  /** Can not be pressed now, but is reached all the same: the keyboard loses no place. */
  readonly unavailable?: boolean;
  /** Of a button that shows and hides something: whether it is shown. */
  readonly expanded?: boolean;
  /** Id of the text that says more, such as why it can not be pressed. */
  readonly describedBy?: string | undefined;
}

/** The one button of the page. */
export function Button(props: ButtonProps) {
  const { children, onClick, look = 'plain', expanded, describedBy } = props;
  const { disabled = false, unavailable = false } = props;
  return (
    <button
      type="button"
      aria-describedby={describedBy}
      aria-expanded={expanded}
      className={`${styles.button} ${styles[look]}`}
      onClick={() => {
        if (!unavailable) onClick();
      }}
      disabled={disabled}
      aria-disabled={unavailable || undefined}
    >
      {children}
    </button>
  );
}
