import { type ReactNode } from 'react';
import { MERGERS } from '@/methods/registry';
import { type GroupKind } from '@/recipe/parsed-method';
import { type RankChoice, type Recipe } from '@/store/state/recipe';
import { bytes } from '@/ui/words/format';
import styles from './formula.module.css';

interface FormulaProps {
  readonly recipe: Recipe;
  readonly kind: GroupKind;
}

/** What the recipe computes, in plain maths and in words for those who listen. */
export function Formula({ recipe, kind }: FormulaProps) {
  return (
    <div className={styles.formula}>
      <OfKind recipe={recipe} kind={kind} />
    </div>
  );
}

function OfKind({ recipe, kind }: FormulaProps) {
  switch (kind) {
    case 'full':
      return <FullFormula recipe={recipe} />;
    case 'adapters':
      return <AdapterFormula recipe={recipe} />;
    case 'loras':
      return <LoraFormula recipe={recipe} />;
  }
}

function LoraFormula({ recipe }: { readonly recipe: Recipe }) {
  const isSum = recipe.lora.make === 'one';
  const words =
    `${isSum ? 'The weighted sum of what the files add to a weight' : 'What a file adds to a weight'}, ` +
    `replaced by its leading singular triplets, ${rankWords(recipe.rank)}.`;
  return (
    <>
      <p className="visually-hidden">{words}</p>
      <p aria-hidden="true">
        <Sub of="Δ" by={isSum ? '*' : 't'} /> ={' '}
        {isSum && (
          <>
            Σ<sub>t</sub> <Sub of="w" by="t" />{' '}
          </>
        )}
        (<Sub of="α" by="t" /> / <Sub of="r" by="t" />) <Sub of="B" by="t" />
        <Sub of="A" by="t" />
      </p>
      <p aria-hidden="true" className={styles.peru}>
        <Sub of="Δ" by={isSum ? '*' : 't'} /> ≈ <Truncated rank={recipe.rank} />
      </p>
      <p aria-hidden="true" className={styles.legend}>
        <Sub of="B" by="t" />
        <Sub of="A" by="t" /> up and down of file <var>t</var>
        {isSum && (
          <>
            , <Sub of="w" by="t" /> its weight
          </>
        )}
      </p>
    </>
  );
}

function FullFormula({ recipe }: { readonly recipe: Recipe }) {
  const { factor } = MERGERS[recipe.mergeMethod];
  const words =
    `Merged model: the base plus ${factor.words(recipe.lambda)} of the task vectors. ` +
    `PERU-FFT for a task: the merged model plus the ${recipe.keptPercent} percent largest entries ` +
    'of that task’s own weights minus the merged ones.';
  return (
    <>
      <p className="visually-hidden">{words}</p>
      <p aria-hidden="true">
        <Theta mark="*" /> = <Theta mark="0" /> + <Weight recipe={recipe} /> Σ<sub>t</sub> (
        <Theta mark="t" /> − <Theta mark="0" />)
      </p>
      <p aria-hidden="true" className={styles.peru}>
        <Theta mark="t" hat /> = <Theta mark="*" /> + top
        <sub>
          <b className={styles.number}>{recipe.keptPercent} %</b>
        </sub>{' '}
        (<Theta mark="t" /> − <Theta mark="*" />)
      </p>
      <p aria-hidden="true" className={styles.legend}>
        <Theta mark="0" /> base, <Theta mark="t" /> fine-tuned for task <var>t</var>,{' '}
        <Theta mark="*" /> merged
      </p>
    </>
  );
}

function AdapterFormula({ recipe }: { readonly recipe: Recipe }) {
  const { factor } = MERGERS[recipe.mergeMethod];
  const words =
    `Merged adapters: the base plus ${factor.words(recipe.lambda)} of the adapters’ products. ` +
    `PERU-LoRA for a task: the base plus, for each module, the leading singular triplets of that ` +
    `task’s own product, ${rankWords(recipe.rank)}.`;
  return (
    <>
      <p className="visually-hidden">{words}</p>
      <p aria-hidden="true">
        <Theta mark="*" /> = <Theta mark="0" /> + <Weight recipe={recipe} /> Σ<sub>t</sub>{' '}
        <Sub of="B" by="t" />
        <Sub of="A" by="t" />
      </p>
      <p aria-hidden="true" className={styles.peru}>
        <Theta mark="t" hat /> = <Theta mark="0" /> + <Truncated rank={recipe.rank} />
      </p>
      <p aria-hidden="true" className={styles.legend}>
        <Theta mark="0" /> base, <Sub of="B" by="t" />
        <Sub of="A" by="t" /> adapter of task <var>t</var>, <Theta mark="*" /> merged
      </p>
    </>
  );
}

/** The leading triplets of a product, and how many. */
function Truncated({ rank }: { readonly rank: RankChoice }) {
  return (
    <>
      <Sub of="U" by="q" />
      <Sub of="S" by="q" />
      <span className={styles.symbol}>
        <var>V</var>
        <sub>q</sub>
        <sup>T</sup>
      </span>
      , <span className={styles.symbol}>{rankSymbols(rank)}</span>
    </>
  );
}

function rankWords(rank: RankChoice): string {
  switch (rank.by) {
    case 'count':
      return `${rank.q} of them`;
    case 'energy':
      return `as many as hold ${rank.percent} percent of its energy`;
    case 'fro':
      return `one more than hold ${rank.share} of its norm`;
    case 'ratio':
      return `one more than exceed the largest singular value over ${rank.ratio}`;
    case 'bytes':
      return `as many as ${bytes(rank.budget)} over all tasks buy`;
  }
}

function rankSymbols(rank: RankChoice): ReactNode {
  switch (rank.by) {
    case 'count':
      return (
        <>
          <var>q</var> = <b className={styles.number}>{rank.q}</b>
        </>
      );
    case 'energy':
      return (
        <>
          ‖·‖² ≥ <b className={styles.number}>{rank.percent} %</b>
        </>
      );
    case 'fro':
      return (
        <>
          ‖·‖ ≥ <b className={styles.number}>{rank.share}</b>
        </>
      );
    case 'ratio':
      return (
        <>
          σ &gt; σ<sub>1</sub> / <b className={styles.number}>{rank.ratio}</b>
        </>
      );
    case 'bytes':
      return (
        <>
          Σ ≤ <b className={styles.number}>{bytes(rank.budget)}</b>
        </>
      );
  }
}

function Weight({ recipe: { mergeMethod, lambda } }: { readonly recipe: Recipe }) {
  return <b className={styles.number}>{MERGERS[mergeMethod].factor.symbol(lambda)}</b>;
}

function Sub({ of, by }: { readonly of: string; readonly by: string }) {
  return (
    <span className={styles.symbol}>
      <var>{of}</var>
      <sub>{by}</sub>
    </span>
  );
}

function Theta({ mark, hat = false }: { readonly mark: string; readonly hat?: boolean }) {
  return (
    <span className={styles.symbol}>
      <var className={hat ? styles.hat : undefined}>θ</var>
      {mark === '*' ? mark : <sub>{mark}</sub>}
    </span>
  );
}
