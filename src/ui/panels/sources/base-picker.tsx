import { useState } from 'react';
import { type ErrorChoice } from '@/store/state/job';
import { chooseBase } from '@/store/actions/sources';
import { Button } from '@/ui/components/button';
import { SelectField } from '@/ui/components/select-field';
import styles from './base-picker.module.css';

/** Takes one of many checkpoints as the base. A list alone would open each that the arrows pass. */
export function BasePicker({ choices }: { readonly choices: readonly ErrorChoice[] }) {
  const [id, setId] = useState('');
  const chosen = choices.find((choice) => choice.id === id);
  return (
    <div className={styles.picker}>
      <SelectField
        label="Base model"
        value={chosen === undefined ? '' : id}
        options={[
          { value: '', label: `One of ${choices.length}` },
          ...choices.map((choice) => ({ value: choice.id, label: choice.name })),
        ]}
        onChange={setId}
      />
      <Button
        look="strong"
        unavailable={chosen === undefined}
        onClick={() => {
          if (chosen !== undefined) chooseBase(chosen.id);
        }}
      >
        {chosen === undefined ? 'Use as base' : `Use ${chosen.name} as base`}
      </Button>
    </div>
  );
}
