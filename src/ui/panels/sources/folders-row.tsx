import { useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import {
  canReopenFolders,
  forgetRecent,
  openFolder,
  openRecent,
  recentStore,
  refreshRecent,
  selectRecent,
} from '@/store/actions/recent-folders';
import { Button } from '@/ui/components/button';
import styles from './folders-row.module.css';

/** Folders that open again with a click, where the browser can do that; else nothing. */
export function FoldersRow() {
  const folders = useStore(recentStore, selectRecent);
  const group = useRef<HTMLDivElement>(null);
  const isAble = canReopenFolders();
  useEffect(() => {
    if (isAble) void refreshRecent();
  }, [isAble]);
  if (!isAble) return null;
  return (
    <div ref={group} className={styles.row} role="group" aria-label="Folders of this disk">
      <Button
        onClick={() => {
          void openFolder();
        }}
      >
        Open folder
      </Button>
      {folders.length === 0 && <p className={styles.hint}>Remembered for the next time.</p>}
      {folders.map((folder) => (
        <span key={folder.id} className={styles.recent}>
          <Button
            look="quiet"
            onClick={() => {
              void openRecent(folder);
            }}
          >
            Recent: {folder.name}
          </Button>
          <button
            type="button"
            className={styles.forget}
            title={`Forget ${folder.name}`}
            onClick={() => {
              void forgetRecent(folder);
              // The button goes with its folder: the keyboard stays near.
              group.current?.querySelector('button')?.focus();
            }}
          >
            <span aria-hidden="true">×</span>
            <span className="visually-hidden">Forget {folder.name}</span>
          </button>
        </span>
      ))}
    </div>
  );
}
