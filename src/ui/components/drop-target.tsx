import { type DragEvent, type ReactNode, useRef, useState } from 'react';
import { raiseAlert } from '@/store/actions/job';
import { addFiles } from '@/store/actions/sources';
import { rememberFolders } from '@/store/actions/recent-folders';
import { filesOfDrop, foldersOfDrop } from '@/ui/files/read-drop';
import styles from './drop-target.module.css';

/** Takes files and folders dropped anywhere on the page. */
export function DropTarget({ children }: { readonly children: ReactNode }) {
  // Enter and leave fire for every element passed over: only their balance tells "outside".
  const depth = useRef(0);
  const [isOver, setIsOver] = useState(false);

  const enter = (event: DragEvent): void => {
    if (!event.dataTransfer.types.includes('Files')) return;
    depth.current += 1;
    setIsOver(true);
  };
  const leave = (event: DragEvent): void => {
    if (!event.dataTransfer.types.includes('Files')) return;
    depth.current -= 1;
    setIsOver(depth.current > 0);
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    depth.current = 0;
    setIsOver(false);
    const folders = foldersOfDrop(event.dataTransfer);
    filesOfDrop(event.dataTransfer).then(addFiles, raiseAlert);
    folders.then(rememberFolders, raiseAlert);
  };

  return (
    <div
      onDragEnter={enter}
      onDragLeave={leave}
      onDragOver={(event) => {
        event.preventDefault();
      }}
      onDrop={drop}
    >
      {children}
      {isOver && (
        <div className={styles.veil} aria-hidden="true">
          <p className={styles.invitation}>
            Drop a base and its fine-tunes or adapters: files or folders
          </p>
        </div>
      )}
    </div>
  );
}
