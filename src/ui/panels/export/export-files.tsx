import { Fragment, useState } from 'react';
import { exportedFile } from '@/store/actions/export';
import { type ExportedFile, type ExportedKind } from '@/store/state/export';
import { raiseAlert } from '@/store/actions/job';
import { type GroupKind } from '@/recipe/parsed-method';
import { Button } from '@/ui/components/button';
import { bytes, count } from '@/ui/words/format';
import { nameOutside, saveFile } from '@/ui/files/save-file';
import styles from './export-files.module.css';

interface ExportFilesProps {
  readonly files: readonly ExportedFile[];
  readonly kind: GroupKind;
}

/** Every file with its bytes, its hash and a way to take it alone. */
export function ExportFiles({ files, kind }: ExportFilesProps) {
  const [copied, setCopied] = useState<string | null>(null);
  return (
    <>
      <ul className={styles.files} aria-label="Exported files">
        {files.map((file) => (
          <FileLine
            key={file.path}
            file={file}
            kind={kind}
            isCopied={copied === file.path}
            onCopied={() => {
              setCopied(file.path);
            }}
          />
        ))}
      </ul>
      <p className="visually-hidden" aria-live="polite">
        {copied !== null && `Copied the SHA-256 of ${copied}.`}
      </p>
    </>
  );
}

interface FileLineProps {
  readonly file: ExportedFile;
  readonly kind: GroupKind;
  readonly isCopied: boolean;
  readonly onCopied: () => void;
}

function FileLine({ file, kind, isCopied, onCopied }: FileLineProps) {
  const { path, bytes: size, sha256 } = file;
  return (
    <li className={styles.file}>
      <span className={styles.path}>
        <Path path={path} /> <span className={styles.kind}>{KINDS[kind][file.kind]}</span>
      </span>
      <span className={styles.bytes} title={`${count(size)} bytes`}>
        {bytes(size)}
      </span>
      <button
        type="button"
        className={styles.hash}
        title={sha256}
        onClick={() => {
          // A browser that may not copy still shows the whole hash beside the pointer.
          navigator.clipboard.writeText(sha256).then(onCopied, raiseAlert);
        }}
      >
        <code>{sha256.slice(0, SHOWN_DIGITS)}…</code>
        <span className={styles.copy} aria-hidden="true">
          {isCopied ? 'copied' : 'copy'}
        </span>
        <span className="visually-hidden">, copy the SHA-256 of {path}</span>
      </button>
      <Button
        look="quiet"
        onClick={() => {
          void exportedFile(path).then((found) => {
            if (found !== null) saveFile(nameOutside(path), found);
          });
        }}
      >
        Download<span className="visually-hidden"> {path}</span>
      </Button>
    </li>
  );
}

const SHOWN_DIGITS = 12;

/** A path that may break after each of its folders. */
export function Path({ path }: { readonly path: string }) {
  return path.split('/').map((part, i) => (
    <Fragment key={i}>
      {i > 0 && (
        <>
          /<wbr />
        </>
      )}
      {part}
    </Fragment>
  ));
}

const ABOUT = {
  sparse: 'sparse vector of a task',
  adapter: 'compressed adapter of a task',
  side: 'copied from the base',
  about: 'about this export',
};

const KINDS: Readonly<Record<GroupKind, Readonly<Record<ExportedKind, string>>>> = {
  full: { ...ABOUT, merged: 'merged model' },
  adapters: { ...ABOUT, merged: 'merged adapter' },
  loras: { ...ABOUT, merged: 'merged adapter', adapter: 'LoRA file' },
};
