export function benchPeers(options: {
  quick: boolean;
  runInNode: (bundle: string, args: string[]) => void;
  runInChromium: (served: { outDir: string; path: string; plugins: object[] }) => Promise<void>;
}): Promise<void>;
