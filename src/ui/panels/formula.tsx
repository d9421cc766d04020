import { type ReactNode } from 'react';
import { type Recipe } from '@/store/recipe/state';
import styles from './formula.module.css';

/** What the recipe computes, in plain maths and in words for those who listen. */
export function Formula({ recipe }: { readonly recipe: Recipe }) {
  const average = recipe.mergeMethod === 'simple-average';
  const weight = average ? 'the mean' : `${recipe.lambda} times the sum`;
  const words =
    `Merged model: the base plus ${weight} of the task vectors. ` +
    `PERU-FFT for a task: the merged model plus the ${recipe.keptPercent} percent largest entries ` +
    'of that task’s own weights minus the merged ones.';
  return (
    <div className={styles.formula}>
      <p className="visually-hidden">{words}</p>
      <p aria-hidden="true">
        <Theta mark="*" /> = <Theta mark="0" /> +{' '}
        <b className={styles.number}>{average ? <>1/T</> : recipe.lambda}</b> Σ<sub>t</sub> (
        <Theta mark="t" /> − <Theta mark="0" />)
      </p>
      <p aria-hidden="true" className={styles.peru}>
        <Theta mark="t" tilde /> = <Theta mark="*" /> + top
        <sub>
          <b className={styles.number}>{recipe.keptPercent} %</b>
        </sub>{' '}
        (<Theta mark="t" /> − <Theta mark="*" />)
      </p>
    </div>
  );
}

function Theta({ mark, tilde = false }: { readonly mark: string; readonly tilde?: boolean }) {
  const symbol: ReactNode = tilde ? 'θ̂' : 'θ';
  return (
    <span className={styles.symbol}>
      <var>{symbol}</var>
      {mark === '*' ? <sup>∗</sup> : <sub>{mark}</sub>}
    </span>
  );
}
