import { useStore } from 'zustand';
import { chooseBase } from '@/store/sources/actions';
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
  type GroupFacts,
  sourcesStore,
  type Weights,
} from '@/store/sources/state';
import { Button } from '@/ui/components/button';
import { Section } from '@/ui/components/section';
import { bytes, count, shortCount, taskCount } from '@/ui/format';
import styles from './checkpoints-panel.module.css';

/** The base and the tasks of the open group. */
export function CheckpointsPanel() {
  const group = useStore(sourcesStore, selectGroup);
  const isOwn = useStore(sourcesStore, selectIsOwn);
  const kind = useStore(sourcesStore, selectKind);
  const weights = useStore(sourcesStore, selectWeights);
  const base = baseCard(group);
  return (
    <Section title="Checkpoints" lead={group === null ? WITHOUT_GROUP[weights] : groupLead(group)}>
      <ul className={styles.cards}>
        {base !== null && <Card card={base} canBecomeBase={false} />}
        {taskCards(group).map((card) => (
          <Card key={card.id} card={card} canBecomeBase={isOwn && kind === 'full'} />
        ))}
      </ul>
    </Section>
  );
}

const WITHOUT_GROUP: Readonly<Record<Weights, string>> = {
  absent:
    'No checkpoints are open. Add a base and what was fine-tuned from it above, or open a demo.',
  checking: 'Reading headers.',
  waiting: 'The weights wait for Start.',
  loading: 'Loading the weights.',
  loaded: 'Loading the weights.',
};

function groupLead(group: GroupFacts): string {
  const tasks = taskCards(group).length;
  const total = group.cards.reduce((sum, card) => sum + card.byteLength, 0);
  const what = taskCount(tasks, group.contents.kind === 'adapters');
  return `${group.title}: one base and ${what}, ${bytes(total)} in all.`;
}

interface CardProps {
  readonly card: CheckpointCard;
  readonly canBecomeBase: boolean;
}

function Card({ card, canBecomeBase }: CardProps) {
  const adapters = useStore(sourcesStore, selectAdapters);
  const rank = card.role === 'task' && adapters !== null ? rankText(adapters, card.name) : null;
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
function rankText({ tasks }: AdapterContents, name: string): string | null {
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
