import { useStore } from 'zustand';
import { chooseBase } from '@/store/actions/sources';
import {
  baseCard,
  selectAdapters,
  selectGroup,
  selectIsOwn,
  selectKind,
  selectWeights,
  taskCards,
} from '@/store/sources/selectors';
import {
  type AdapterContents,
  type CheckpointCard,
  sourcesStore,
  type Weights,
} from '@/store/state/sources';
import { Button } from '@/ui/components/button';
import { Section } from '@/ui/components/section';
import { bytes, count, shortCount } from '@/ui/words/format';
import { MANY } from '@/ui/components/many';
import { openedText } from '@/ui/words/sources-text';
import { type CheckpointRow, CheckpointTable } from './checkpoint-table';
import styles from './checkpoints-panel.module.css';

/** The base and the tasks of the open group: a card each, or a row where they are many. */
export function CheckpointsPanel() {
  const group = useStore(sourcesStore, selectGroup);
  const isOwn = useStore(sourcesStore, selectIsOwn);
  const kind = useStore(sourcesStore, selectKind);
  const weights = useStore(sourcesStore, selectWeights);
  const adapters = useStore(sourcesStore, selectAdapters);
  // Their table tells of them.
  if (kind === 'loras' && group !== null) return null;
  const base = baseCard(group);
  const cards = [...(base === null ? [] : [base]), ...taskCards(group)];
  const canChooseBase = isOwn && kind === 'full';
  const lead =
    group === null
      ? WITHOUT_GROUP[weights]
      : openedText({ title: group.title, kind, checkpoints: cards });
  return (
    <Section title="Checkpoints" lead={lead}>
      {cards.length >= MANY ? (
        <CheckpointTable
          rows={cards.map((card) => rowOf(card, adapters))}
          canChooseBase={canChooseBase}
        />
      ) : (
        <ul className={styles.cards}>
          {cards.map((card) => (
            <Card
              key={card.id}
              card={card}
              rank={rankOf(card, adapters)}
              canBecomeBase={canChooseBase && card.role === 'task'}
            />
          ))}
        </ul>
      )}
    </Section>
  );
}

function rowOf(card: CheckpointCard, adapters: AdapterContents | null): CheckpointRow {
  const isToldOf = card.dataset !== null || card.unscoredBecause != null;
  const testSet = card.role === 'task' && isToldOf ? datasetText(card) : null;
  return { ...card, origin: card.checkpoint, rank: rankOf(card, adapters), testSet };
}

const WITHOUT_GROUP: Readonly<Record<Weights, string>> = {
  absent:
    'No checkpoints are open. Add a base and what was fine-tuned from it above, or open a demo.',
  checking: 'Reading headers.',
  waiting: 'The weights wait for Start.',
  loading: 'Loading the weights.',
  loaded: 'Loading the weights.',
};

interface CardProps {
  readonly card: CheckpointCard;
  /** Null where there is none. */
  readonly rank: string | null;
  readonly canBecomeBase: boolean;
}

function Card({ card, rank, canBecomeBase }: CardProps) {
  return (
    <li className={styles.card} data-role={card.role}>
      <div>
        <h3 className={styles.title}>{card.title}</h3>
        <p className={styles.name}>{card.checkpoint}</p>
      </div>
      <dl className={styles.facts}>
        <Fact name="Size" value={bytes(card.byteLength)} />
        <Fact name="Type" value={card.dtypes.join(', ')} />
        <Fact
          name="Parameters"
          value={`${shortCount(card.parameterCount)} in ${count(card.tensorCount)} tensors`}
        />
        {rank !== null && <Fact name="Rank" value={rank} />}
        <Fact name="Licence" value={card.licence ?? 'not stated'} />
        {card.role === 'task' && <Fact name="Test set" value={datasetText(card)} />}
      </dl>
      {canBecomeBase && (
        <Button
          onClick={() => {
            chooseBase(card.id);
          }}
        >
          Use as base<span className="visually-hidden">: {card.title}</span>
        </Button>
      )}
    </li>
  );
}

/** The largest rank of the task's adapter, and how many weights it changes. */
function rankOf({ role, name }: CheckpointCard, adapters: AdapterContents | null): string | null {
  if (role === 'base' || adapters === null) return null;
  const { tasks } = adapters;
  const ranks = tasks.find(({ task }) => task === name)?.ranks.filter((rank) => rank > 0) ?? [];
  if (ranks.length === 0) return null;
  const [least, most] = [Math.min(...ranks), Math.max(...ranks)];
  const modules = ranks.length === 1 ? '1 module' : `${count(ranks.length)} modules`;
  return `${least === most ? most : `${least} to ${most}`} in ${modules}`;
}

function datasetText({ dataset, unscoredBecause }: CheckpointCard): string {
  if (dataset === null) return unscoredBecause ?? 'none';
  const { rowCount, ofRowCount = rowCount, rowKind, classCount } = dataset;
  const rows =
    rowCount < ofRowCount ? `${count(rowCount)} of ${count(ofRowCount)}` : count(rowCount);
  const answers = classCount === null ? 'a number each' : `${count(classCount)} classes`;
  return `${rows} ${rowKind}s, ${answers}`;
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div className={styles.fact}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
