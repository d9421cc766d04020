import { type ReactNode } from 'react';
import styles from './button.module.css';

interface ButtonProps {
  readonly children: ReactNode;
  readonly onClick: () => void;
  /** `quiet` has no border; `strong` is the one thing to do next. */
  readonly look?: 'plain' | 'quiet' | 'strong';
  readonly disabled?: boolean;
  /** Id of the text that says more, such as why it can not be pressed. */
  readonly describedBy?: string | undefined;
}

/** The one button of the page. */
export function Button(props: ButtonProps) {
  const { children, onClick, look = 'plain', disabled = false, describedBy } = props;
  return (
    <button
      type="button"
      aria-describedby={describedBy}
      className={`${styles.button} ${styles[look]}`}
      onClick={onClick}
      disabled={disabled}
    >
      {children}
    </button>
  );
}
