import { useId } from 'react';
import { useStore } from 'zustand';
import { hubStore } from '@/store/state/hub';
import { openPreset } from '@/store/actions/presets';
import { openPresetId, type Preset, PRESETS, selectHost } from '@/store/hub/preset-selectors';
import { sourcesStore } from '@/store/state/sources';
import { Button } from '@/ui/components/button';
import { bytes } from '@/ui/words/format';
import styles from './presets-panel.module.css';

/** Groups of public checkpoints, each opened by one click. */
export function PresetsPanel() {
  const host = useStore(hubStore, selectHost);
  const open = useStore(sourcesStore, openPresetId);
  return (
    <section className={styles.presets} aria-labelledby="presets-heading">
      <div className={styles.words}>
        <h3 id="presets-heading" className={styles.heading}>
          Presets from the papers
        </h3>
        <p className={styles.lead}>
          From {host}, checked first, scored on 512 rows of each test set.
        </p>
      </div>
      <ul className={styles.list}>
        {PRESETS.map((preset) => (
          <PresetRow key={preset.id} preset={preset} isOpen={preset.id === open} />
        ))}
      </ul>
    </section>
  );
}

function PresetRow({ preset, isOpen }: { readonly preset: Preset; readonly isOpen: boolean }) {
  const about = useId();
  return (
    <li className={styles.preset}>
      <Button
        describedBy={about}
        onClick={() => {
          openPreset(preset);
        }}
      >
        <span className="visually-hidden">Preset: </span>
        {preset.title}
        <small aria-hidden="true" className={styles.size}>
          {bytes(preset.aboutBytes)}
        </small>
      </Button>
      <p id={about} className="visually-hidden">
        {preset.description} About {bytes(preset.aboutBytes)}.
      </p>
      {isOpen && <strong className={styles.open}>In use.</strong>}
    </li>
  );
}
