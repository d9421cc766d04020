import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { type Bounds, sliderPosition } from '@/store/recipe/bounds';
import styles from './slider-field.module.css';

interface SliderFieldProps {
  /** Accessible name of both the slider and the number field. */
  readonly label: string;
  readonly value: number;
  readonly bounds: Bounds;
  readonly disabled?: boolean;
  /** Every movement. */
  readonly onPreview: (value: number) => void;
  /** The value the control was left at: on release, on Enter, on each key of the slider. */
  readonly onCommit: (value: number) => void;
  /** The number field was left with no number in it: what was previewed does not hold. */
  readonly onRevert: () => void;
  /** Drawn above the slider's track, as wide as the thumb's travel. */
  readonly children?: ReactNode;
  readonly hint?: ReactNode;
}

/** A native slider with a number field of the same name, which also takes values beyond its end. */
export function SliderField(props: SliderFieldProps) {
  const { label, value, bounds, disabled = false, children, hint } = props;
  const labelId = useId();
  const hintId = useId();
  const sliderRef = useCommit(props.onCommit);
  const described = hint === undefined ? {} : { 'aria-describedby': hintId };
  return (
    <div className={styles.field} data-disabled={disabled}>
      <div className={styles.head}>
        <span id={labelId} className={styles.label}>
          {label}
        </span>
        <NumberField {...props} labelId={labelId} />
      </div>
      {children !== undefined && <div className={styles.above}>{children}</div>}
      <input
        ref={sliderRef}
        type="range"
        className={styles.slider}
        aria-labelledby={labelId}
        {...described}
        min={bounds.min}
        max={bounds.sliderMax}
        step={bounds.step}
        value={Math.min(value, bounds.sliderMax)}
        disabled={disabled}
        style={{ '--filled': `${100 * sliderPosition(bounds, value)}%` }}
        onChange={(event) => {
          props.onPreview(event.target.valueAsNumber);
        }}
      />
      {hint !== undefined && (
        <p id={hintId} className={styles.hint}>
          {hint}
        </p>
      )}
    </div>
  );
}

/** Half-typed text stays in the field; only numbers leave it. */
function NumberField(props: SliderFieldProps & { readonly labelId: string }) {
  const { value, bounds, disabled = false, labelId } = props;
  const [typed, setTyped] = useState<string | null>(null);
  const leaveAt = (entered: number): void => {
    setTyped(null);
    if (Number.isFinite(entered)) props.onCommit(entered);
    else props.onRevert();
  };
  const commitRef = useCommit(leaveAt);
  return (
    <input
      ref={commitRef}
      type="number"
      inputMode="decimal"
      className={styles.number}
      aria-labelledby={labelId}
      min={bounds.min}
      max={bounds.max}
      step={bounds.step}
      value={typed ?? String(value)}
      disabled={disabled}
      onChange={(event) => {
        setTyped(event.target.value);
        const entered = event.target.valueAsNumber;
        if (Number.isFinite(entered)) props.onPreview(entered);
      }}
      onBlur={(event) => {
        // `change` stays away when the text is back to what it was on entering the field.
        if (typed !== null) leaveAt(event.target.valueAsNumber);
      }}
    />
  );
}

/**
 * Listens to the element's own `change` event, which means "released" and which React does not
 * hand out: its onChange is the platform's `input`.
 */
function useCommit(onCommit: (value: number) => void) {
  const ref = useRef<HTMLInputElement>(null);
  const latest = useRef(onCommit);
  useEffect(() => {
    latest.current = onCommit;
  });
  useEffect(() => {
    const element = ref.current;
    const commit = (): void => {
      if (element !== null) latest.current(element.valueAsNumber);
    };
    element?.addEventListener('change', commit);
    return () => {
      element?.removeEventListener('change', commit);
    };
  }, []);
  return ref;
}
