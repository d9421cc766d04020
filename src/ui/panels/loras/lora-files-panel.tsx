import { useStore } from 'zustand';
import {
  type LoraContents,
  type LoraFileFacts,
  type LoraOutput,
  spellingTitle,
  sumOf,
} from '@/store/recipe/loras';
import { selectLoras } from '@/store/sources/selectors';
import { sourcesStore } from '@/store/state/sources';
import { ScrollRegion } from '@/ui/components/scroll-region';
import { Section } from '@/ui/components/section';
import { useDraftLoras } from '@/ui/hooks/use-loras';
import { useWaiting } from '@/ui/hooks/use-waiting';
import { bytes, count, energyPercent } from '@/ui/words/format';
import styles from './lora-files-panel.module.css';

/** Each LoRA file as it is and as it becomes, following the slider. */
export function LoraFilesPanel() {
  const contents = useStore(sourcesStore, selectLoras);
  const { outputs, error } = useDraftLoras();
  const waiting = useWaiting();
  if (contents === null) return null;
  const sum = sumOf(outputs);
  const lead =
    error?.message ??
    (outputs === null
      ? waiting('Follows when the files are factorised.')
      : 'Exact, from the singular values: energy is the share of the sum of squares that stays.');
  return (
    <Section title="LoRA files" lead={lead}>
      <ScrollRegion name="LoRA files, scrollable">
        <table className={styles.table} aria-label="LoRA files">
          <thead>
            <tr>
              <th scope="col">File</th>
              <th scope="col">Spelling</th>
              <th scope="col">Modules</th>
              <th scope="col">Rank</th>
              <th scope="col">Kept energy</th>
              <th scope="col">Bytes</th>
            </tr>
          </thead>
          <tbody>
            {contents.files.map((file) => (
              <FileRow
                key={file.name}
                file={file}
                output={outputs?.find(({ name }) => name === file.name) ?? null}
              />
            ))}
          </tbody>
          {sum !== null && <SumRow output={sum} contents={contents} />}
        </table>
      </ScrollRegion>
    </Section>
  );
}

interface FileRowProps {
  readonly file: LoraFileFacts;
  /** Null where it is not written by itself, or not known yet. */
  readonly output: LoraOutput | null;
}

function FileRow({ file, output }: FileRowProps) {
  const { name, spelling, factors, carried, byteLength } = file;
  const before = rankText(factors.map(({ rank }) => rank));
  const after = output === null ? null : rankText(output.ranks.filter((rank) => rank > 0));
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{spellingTitle(spelling)}</td>
      <td>
        {count(factors.length)}
        {carried.length > 0 && (
          <span className={styles.more}> and {count(carried.length)} other tensors</span>
        )}
      </td>
      <td>
        <Change before={before} after={after} />
      </td>
      <td>{output === null ? '–' : <Energy share={output.energyShare} />}</td>
      <td>
        <Change before={bytes(byteLength)} after={output === null ? null : bytes(output.bytes)} />
      </td>
    </tr>
  );
}

interface SumRowProps {
  readonly output: LoraOutput;
  readonly contents: LoraContents;
}

function SumRow({ output, contents }: SumRowProps) {
  const own = output.ranks.filter((rank) => rank > 0);
  const together = contents.files.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return (
    <tfoot>
      <tr>
        <th scope="row">All as one</th>
        <td>{spellingTitle(output.file.spelling)}</td>
        <td>{count(own.length)}</td>
        <td>
          <Change before={String(contents.maxRankOfAll)} after={rankText(own)} />
        </td>
        <td>
          <Energy share={output.energyShare} />
        </td>
        <td>
          <Change before={bytes(together)} after={bytes(output.bytes)} />
        </td>
      </tr>
    </tfoot>
  );
}

function Change({ before, after }: { readonly before: string; readonly after: string | null }) {
  if (after === null || after === before) return <>{before}</>;
  return (
    <>
      <span className={styles.before}>{before}</span>
      <span aria-hidden="true"> → </span>
      <span className="visually-hidden"> becomes </span>
      <strong>{after}</strong>
    </>
  );
}

function Energy({ share }: { readonly share: number }) {
  return (
    <span className={styles.energy}>
      <span className={styles.track} aria-hidden="true">
        <span className={styles.bar} style={{ width: `${100 * (share || 0)}%` }} />
      </span>
      {energyPercent(share)}
    </span>
  );
}

/** `16`, or `4 to 16` where modules differ. */
function rankText(ranks: readonly number[]): string {
  if (ranks.length === 0) return '–';
  const [least, most] = [Math.min(...ranks), Math.max(...ranks)];
  return least === most ? String(most) : `${least} to ${most}`;
}
