export function benchPeers(options: {
  quick: boolean;
  records: { take(line: string): void; takeAll(text: string): unknown };
  runInNode: (bundle: string, args: string[]) => void;
  runInChromium: (served: { outDir: string; path: string; plugins: object[] }) => Promise<void>;
}): Promise<void>;
