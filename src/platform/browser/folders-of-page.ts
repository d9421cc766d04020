/** Folders that the page may open again, for the page: they need its clicks, not a worker. */
export {
  canReopenFolders,
  filesOfFolder,
  forgetFolder,
  pickFolder,
  type RecentFolder,
  recentFolders,
  rememberFolder,
  reopenFolder,
} from './recent-folders';
