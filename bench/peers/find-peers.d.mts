export function findPeers(): {
  folder: string | null;
  nodeModules: string | null;
  python: string | null;
  mergekit: string | null;
};
