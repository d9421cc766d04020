import { type StorageRow } from '@/recipe/recipe';

/** A method's files and what they take together. */
export function storageRow(method: string, files: StorageRow['files']): StorageRow {
  return { method, files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}
