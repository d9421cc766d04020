import {
  type Mark,
  type Piece,
  pieceName,
  type RangeStore,
  type StoredPiece,
  StoreFullError,
} from './range-store';

/** A store in memory: the twin of the one on disk, for where there is no disk. */
export function memoryStore(capacityBytes = Infinity): RangeStore {
  const held = new Map<string, { piece: StoredPiece; blob: Blob }>();
  const nameOf = (piece: Piece): string => `${piece.key}/${pieceName(piece)}`;
  const bytes = (): number => [...held.values()].reduce((sum, { blob }) => sum + blob.size, 0);
  const marks = new Map<string, Mark>();
  let clock = 0;
  return {
    list: () => Promise.resolve([...held.values()].map(({ piece }) => piece)),
    open: (piece) => Promise.resolve(held.get(nameOf(piece))?.blob ?? null),
    write: (piece, content) => {
      if (bytes() + content.length > capacityBytes) return Promise.reject(new StoreFullError());
      const stored = { ...piece, writtenAt: ++clock };
      held.set(nameOf(piece), { piece: stored, blob: new Blob([content]) });
      return Promise.resolve();
    },
    remove: (piece) => {
      held.delete(nameOf(piece));
      const isLast = [...held.values()].every((other) => other.piece.key !== piece.key);
      for (const [name, { key }] of marks) if (isLast && key === piece.key) marks.delete(name);
      return Promise.resolve();
    },
    removeFile: (key) => {
      for (const [name, { piece }] of held) if (piece.key === key) held.delete(name);
      for (const [name, mark] of marks) if (mark.key === key) marks.delete(name);
      return Promise.resolve();
    },
    marks: () => Promise.resolve([...marks.values()]),
    mark: (key, label) => {
      const isKept = [...held.values()].some(({ piece }) => piece.key === key);
      if (isKept) marks.set(`${key} ${label}`, { key, label, usedAt: ++clock });
      return Promise.resolve();
    },
    unmark: (key, label) => {
      marks.delete(`${key} ${label}`);
      return Promise.resolve();
    },
    alone: (work) => work(),
    clear: () => {
      marks.clear();
      held.clear();
      return Promise.resolve();
    },
  };
}
