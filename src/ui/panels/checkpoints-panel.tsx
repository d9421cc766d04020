import { useStore } from 'zustand';
import { selectOpenEnded } from '@/store/job/selectors';
import { jobStore } from '@/store/job/state';
import { chooseBase } from '@/store/sources/actions';
import {
  baseCard,
  selectAdapters,
  selectGroup,
  selectIsOwn,
  selectKind,
  taskCards,
} from '@/store/sources/selectors';
import {
  type AdapterContents,
  type CheckpointCard,
  type GroupFacts,
  sourcesStore,
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
  const openEnded = useStore(jobStore, selectOpenEnded);
  const base = baseCard(group);
  const waiting = openEnded ? 'No checkpoints are open.' : 'Reading headers.';
  return (
    <Section title="Checkpoints" lead={group === null ? waiting : groupLead(group)}>
      <ul className={styles.cards}>
        {base !== null && <Card card={base} canBecomeBase={false} />}
        {taskCards(group).map((card) => (
          <Card key={card.id} card={card} canBecomeBase={isOwn && kind === 'full'} />
        ))}
      </ul>
    </Section>
  );
}

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
        {card.role === 'task' && <Fact name="Test set" value={datasetText(card.dataset)} />}
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

function datasetText(dataset: CheckpointCard['dataset']): string {
  if (dataset === null) return 'none';
  const { rowCount, rowKind, classCount } = dataset;
  const answers = classCount === null ? 'a number each' : `${count(classCount)} classes`;
  return `${count(rowCount)} ${rowKind}s, ${answers}`;
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div className={styles.fact}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
