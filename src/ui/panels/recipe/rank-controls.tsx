import { useStore } from 'zustand';
import { commitRecipe, previewRecipe, revertPreview } from '@/store/actions/recipe';
import {
  type Bounds,
  BUDGET,
  budgetBounds,
  ENERGY,
  FRO,
  inUnit,
  RANK,
  rankBounds,
  RATIO,
  startingRank,
  withinGroup,
} from '@/store/recipe/bounds';
import { selectDraft } from '@/store/recipe/selectors';
import { type RankChoice, recipeStore } from '@/store/state/recipe';
import { type RankLimits } from '@/store/recipe/rank-limits';
import { selectKind } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { useRankLimits } from '@/ui/hooks/use-rank-limits';
import { RankCurve } from '@/ui/charts/rank-curve';
import { SelectField } from '@/ui/components/select-field';
import { SliderField } from '@/ui/components/slider-field';
import { KeptAdapters } from './kept-adapters';

const MODES: readonly { readonly value: RankChoice['by']; readonly label: string }[] = [
  { value: 'count', label: 'One number for all modules' },
  { value: 'energy', label: 'Kept energy of each module' },
  { value: 'fro', label: 'Frobenius share of each module (sv_fro)' },
  { value: 'ratio', label: 'Ratio of singular values (sv_ratio)' },
  { value: 'bytes', label: 'Byte budget over all of them' },
];

/** How many singular triplets each module of each adapter keeps. */
export function RankControls() {
  const { rank } = useStore(recipeStore, selectDraft);
  const limits = useRankLimits();
  const kind = useStore(sourcesStore, selectKind);
  return (
    <>
      <SelectField
        label="Rank chosen by"
        value={rank.by}
        options={MODES}
        onChange={(by) => {
          commitRecipe({ rank: startingRank(by, limits) });
        }}
      />
      <RankSlider key={rank.by} rank={rank} limits={limits} />
      {kind === 'adapters' && <KeptAdapters />}
    </>
  );
}

interface RankSliderProps {
  readonly rank: RankChoice;
  readonly limits: RankLimits | null;
}

function RankSlider({ rank, limits }: RankSliderProps) {
  const within = (asked: RankChoice): RankChoice => withinGroup(asked, limits);
  switch (rank.by) {
    case 'count': {
      const bounds = limits === null ? { ...RANK, sliderMax: 16 } : rankBounds(limits);
      return (
        <ChoiceSlider
          label="Rank q"
          value={rank.q}
          bounds={bounds}
          hint={`Singular triplets kept of each module, ${bounds.sliderMax} at most.`}
          choiceOf={(q) => within({ by: 'count', q })}
        />
      );
    }
    case 'energy':
      return (
        <ChoiceSlider
          label="Kept energy (%)"
          value={rank.percent}
          bounds={ENERGY}
          hint="Each module keeps the fewest triplets that hold this share of its energy."
          choiceOf={(percent) => within({ by: 'energy', percent })}
        />
      );
    case 'fro':
      return (
        <ChoiceSlider
          label="Kept norm (0 to 1)"
          value={rank.share}
          bounds={FRO}
          hint="Each module keeps one triplet more than hold this share of its Frobenius norm, as sd-scripts does."
          choiceOf={(share) => within({ by: 'fro', share })}
        />
      );
    case 'ratio':
      return (
        <ChoiceSlider
          label="Ratio to the largest"
          value={rank.ratio}
          bounds={RATIO}
          hint="Each module keeps one triplet more than are above its largest singular value over this, as sd-scripts does."
          choiceOf={(ratio) => within({ by: 'ratio', ratio })}
        />
      );
    case 'bytes': {
      const bounds = limits === null ? BUDGET : budgetBounds(limits);
      const { unit, name } = bounds.max >= 10e6 ? MEGABYTE : KILOBYTE;
      return (
        <ChoiceSlider
          label={`Byte budget (${name})`}
          value={rank.budget / unit}
          bounds={inUnit(bounds, unit)}
          hint="Spent on the triplets, over the modules of all tasks, that leave the least error."
          choiceOf={(value) => within({ by: 'bytes', budget: value * unit })}
        />
      );
    }
  }
}

const KILOBYTE = { unit: 1000, name: 'kB' };
const MEGABYTE = { unit: 1_000_000, name: 'MB' };

interface ChoiceSliderProps {
  readonly label: string;
  readonly value: number;
  readonly bounds: Bounds;
  readonly hint: string;
  readonly choiceOf: (value: number) => RankChoice;
}

function ChoiceSlider({ label, value, bounds, hint, choiceOf }: ChoiceSliderProps) {
  return (
    <SliderField
      label={label}
      value={value}
      bounds={bounds}
      onPreview={(next) => {
        previewRecipe({ rank: choiceOf(next) });
      }}
      onCommit={(next) => {
        commitRecipe({ rank: choiceOf(next) });
      }}
      onRevert={() => {
        revertPreview('rank');
      }}
      hint={hint}
    >
      <RankCurve />
    </SliderField>
  );
}
