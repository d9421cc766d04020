import { useStore } from 'zustand';
import { selectOpenEnded } from '@/store/job/selectors';
import { jobStore } from '@/store/job/state';
import { chooseBase } from '@/store/sources/actions';
import { baseCard, selectGroup, selectIsLocal, taskCards } from '@/store/sources/selectors';
import { type CheckpointCard, type GroupFacts, sourcesStore } from '@/store/sources/state';
import { Button } from '@/ui/components/button';
import { Section } from '@/ui/components/section';
import { bytes, count, shortCount } from '@/ui/format';
import styles from './checkpoints-panel.module.css';

/** The base and the tasks of the open group. */
export function CheckpointsPanel() {
  const group = useStore(sourcesStore, selectGroup);
  const isLocal = useStore(sourcesStore, selectIsLocal);
  const openEnded = useStore(jobStore, selectOpenEnded);
  const base = baseCard(group);
  const waiting = openEnded ? 'No checkpoints are open.' : 'Reading headers.';
  return (
    <Section title="Checkpoints" lead={group === null ? waiting : groupLead(group)}>
      <ul className={styles.cards}>
        {base !== null && <Card card={base} canBecomeBase={false} />}
        {taskCards(group).map((card) => (
          <Card key={card.id} card={card} canBecomeBase={isLocal} />
        ))}
      </ul>
    </Section>
  );
}

function groupLead(group: GroupFacts): string {
  const tasks = taskCards(group).length;
  const total = group.cards.reduce((sum, card) => sum + card.byteLength, 0);
  return `${group.title}: one base and ${tasks} fine-tunes, ${bytes(total)} in all.`;
}

interface CardProps {
  readonly card: CheckpointCard;
  readonly canBecomeBase: boolean;
}

function Card({ card, canBecomeBase }: CardProps) {
  const { dataset } = card;
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
        <Fact name="Licence" value={card.licence ?? 'not stated'} />
        {card.role === 'task' && (
          <Fact
            name="Test set"
            value={
              dataset === null
                ? 'none'
                : `${count(dataset.rowCount)} images, ${count(dataset.classCount)} classes`
            }
          />
        )}
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

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div className={styles.fact}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
