import { useStore } from 'zustand';
import { type LoraChoices, weightOf } from '@/recipe/lora-choices';
import { commitRecipe, previewRecipe, revertPreview } from '@/store/actions/recipe';
import { CAP, RANK, WEIGHT } from '@/store/recipe/bounds';
import { type LoraContents } from '@/store/recipe/loras';
import { selectDraft } from '@/store/recipe/selectors';
import { recipeStore } from '@/store/state/recipe';
import { selectLoras } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { Button } from '@/ui/components/button';
import { SelectField } from '@/ui/components/select-field';
import { SliderField } from '@/ui/components/slider-field';
import { whenMany } from '@/ui/components/many';
import { useDraftLoras } from '@/ui/hooks/use-loras';
import styles from './lora-controls.module.css';

/** Each file smaller, or all of them as one with a weight each. */
export function LoraMakeControls() {
  const { lora } = useStore(recipeStore, selectDraft);
  const contents = useStore(sourcesStore, selectLoras);
  if (contents === null) return null;
  return (
    <>
      <SelectField
        label="Make"
        value={lora.make}
        options={[
          { value: 'each', label: 'Each file smaller' },
          { value: 'one', label: 'One file of all' },
        ]}
        onChange={(make) => {
          commitLora(lora, { make });
        }}
        hint={
          lora.make === 'one'
            ? 'Added up exactly, without cross terms, then cut to the rank below.'
            : 'Every module is cut to the rank below.'
        }
      />
      {lora.make === 'one' && <Weights contents={contents} lora={lora} />}
    </>
  );
}

interface WeightsProps {
  readonly contents: LoraContents;
  readonly lora: LoraChoices;
}

function Weights({ contents: { files }, lora }: WeightsProps) {
  return (
    <div className={styles.weights} {...whenMany(files.length, 'Weights by file')}>
      {files.map(({ name }) => {
        const change = (weight: number): Partial<LoraChoices> => {
          return { weights: { ...lora.weights, [name]: weight } };
        };
        return (
          <SliderField
            key={name}
            label={`Weight of ${name}`}
            value={weightOf(lora, name)}
            bounds={{ ...WEIGHT, min: -1 }}
            onPreview={(weight) => {
              previewRecipe({ lora: { ...lora, ...change(weight) } });
            }}
            onCommit={(weight) => {
              commitLora(lora, change(weight));
            }}
            onRevert={() => {
              revertPreview('lora');
            }}
          />
        );
      })}
    </div>
  );
}

/** What limits the ranks beside their rule, and how the files are written. */
export function LoraWriteControls() {
  const { lora } = useStore(recipeStore, selectDraft);
  const contents = useStore(sourcesStore, selectLoras);
  const { error } = useDraftLoras();
  const hasConvolutions = contents?.modules.some(({ isConvolution }) => isConvolution) ?? false;
  const carries =
    contents?.files.some(
      ({ carried, factors }) =>
        carried.length > 0 || factors.some(({ biasDtype }) => biasDtype !== null),
    ) ?? false;
  return (
    <details className={styles.more}>
      <summary>Cap, names and alpha</summary>
      <div className={styles.fields}>
        <NumberChoice
          label="Most triplets of a module"
          none="No cap"
          value={lora.cap}
          bounds={CAP}
          start={64}
          onChoose={(cap) => {
            commitLora(lora, { cap });
          }}
        />
        {hasConvolutions && (
          <NumberChoice
            label="Rank of convolutions"
            none="As all modules"
            value={lora.convolutions?.by === 'count' ? lora.convolutions.q : null}
            bounds={RANK}
            start={8}
            onChoose={(q) => {
              commitLora(lora, { convolutions: q === null ? null : { by: 'count', q } });
            }}
          />
        )}
        <SelectField
          label="Names and order"
          value={lora.spelling}
          options={SPELLINGS}
          onChange={(spelling) => {
            commitLora(lora, { spelling });
          }}
          hint={error === null ? undefined : `${error.message} ${error.hint}`}
        />
        <SelectField
          label="Alpha"
          value={lora.alpha}
          options={[
            { value: 'ratio', label: 'As it was: alpha / r stays' },
            { value: 'rank', label: 'alpha = r: the scale is 1' },
          ]}
          onChange={(alpha) => {
            commitLora(lora, { alpha });
          }}
        />
        {carries && (
          <SelectField
            label="Other tensors"
            value={lora.carried}
            options={[
              { value: 'keep', label: 'Written again' },
              { value: 'leave', label: 'Left out' },
            ]}
            onChange={(carried) => {
              commitLora(lora, { carried });
            }}
          />
        )}
        <Button
          onClick={() => {
            commitLora(lora, { cap: lora.cap ?? 64, alpha: 'rank', carried: 'leave' });
          }}
        >
          Set for serving
        </Button>
        <p className={styles.hint}>
          Servers of adapters want a rank of at most N everywhere, alpha = r, and no modules saved
          whole.
        </p>
      </div>
    </details>
  );
}

const SPELLINGS = [
  { value: 'source', label: 'As each file has them' },
  { value: 'kohya', label: 'kohya (sd-scripts, ComfyUI)' },
  { value: 'peft', label: 'PEFT, diffusers' },
  { value: 'mlx', label: 'MLX' },
] as const;

interface NumberChoiceProps {
  readonly label: string;
  /** What it is called not to have one. */
  readonly none: string;
  readonly value: number | null;
  readonly bounds: { readonly min: number; readonly max: number };
  /** A number that is often asked for. */
  readonly start: number;
  readonly onChoose: (value: number | null) => void;
}

/** Powers of two, as ranks are: servers and trainers know no others. */
function NumberChoice({ label, none, value, bounds, start, onChoose }: NumberChoiceProps) {
  const usual = [4, 8, 16, 32, 64, 128, 256].filter(
    (one) => one >= bounds.min && one <= bounds.max,
  );
  const all = [...new Set([...usual, start, ...(value === null ? [] : [value])])].sort(
    (a, b) => a - b,
  );
  return (
    <SelectField
      label={label}
      value={value === null ? 'none' : String(value)}
      options={[
        { value: 'none', label: none },
        ...all.map((one) => ({ value: String(one), label: String(one) })),
      ]}
      onChange={(chosen) => {
        onChoose(chosen === 'none' ? null : Number(chosen));
      }}
    />
  );
}

function commitLora(lora: LoraChoices, change: Partial<LoraChoices>): void {
  commitRecipe({ lora: { ...lora, ...change } });
}
