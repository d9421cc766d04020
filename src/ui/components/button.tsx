import { type ReactNode } from 'react';
import styles from './button.module.css';

interface ButtonProps {
  readonly children: ReactNode;
  readonly onClick: () => void;
  /** `quiet` has no border; `strong` is the one thing to do next. */
  readonly look?: 'plain' | 'quiet' | 'strong';
  readonly disabled?: boolean;
}

/** The one button of the page. */
export function Button({ children, onClick, look = 'plain', disabled = false }: ButtonProps) {
  return (
    <button
      type="button"
      className={`${styles.button} ${styles[look]}`}
      onClick={onClick}
      disabled={disabled}
    >
      {children}
    </button>
  );
}
