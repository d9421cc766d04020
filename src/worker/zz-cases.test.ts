import { readdirSync, readFileSync, statSync, writeFileSync, appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NO_CHOICES } from '@/plan/preflight';
import { type LocalFile } from '@/sources/local-files';
import { createSession } from './session';
import { memoryStore } from './export/memory-store.fixture';

const ROOT = '/work/shared/cases';
function walk(dir: string, prefix = ''): LocalFile[] {
  return readdirSync(dir)
    .sort()
    .flatMap((name) => {
      const path = join(dir, name);
      if (statSync(path).isDirectory()) return walk(path, `${prefix}${name}/`);
      return [
        { path: prefix + name, file: new File([readFileSync(path)], name, { lastModified: 1 }) },
      ];
    });
}
const only = process.env['CASE'] ?? '';
const OUT = process.env['OUT'] ?? '/tmp/lead-cases.txt';
writeFileSync(OUT, '');
for (const name of readdirSync(ROOT).filter((n) => /^\d/.test(n) && n.startsWith(only))) {
  it(name, async () => {
    const files = walk(join(ROOT, name, 'inputs'));
    const session = createSession(memoryStore());
    const lines: string[] = [`=== ${name}`];
    const run = async (base?: string): Promise<void> => {
      const outcome = await session.open(
        { kind: 'files', files, ...(base === undefined ? {} : { base }) } as never,
        NO_CHOICES,
        (event) => {
          if (event.type !== 'preflight') return;
          const { preflight: p } = event;
          lines.push(
            `${p.kind} base=${p.checkpoints[0]!.name} tasks=${p.checkpoints
              .slice(1)
              .map((c) => c.name)
              .join(',')} starts=${p.startsByItself} tensors=${JSON.stringify(p.tensors)}`,
          );
          for (const f of p.findings)
            lines.push(
              `  ${f.level} [${f.topic}] ${f.title} ${f.detail} ${f.names.slice(0, 3).join(' ')}`,
            );
        },
      );
      if (outcome.status === 'failed') {
        lines.push(
          `  FAILED ${outcome.error.kind}: ${outcome.error.message} | ${outcome.error.hint} ${JSON.stringify(outcome.error.choices ?? '')}`,
        );
        const choice = (outcome.error.choices ?? []).find((c) => /base/.test(c.name));
        if (choice && base === undefined) {
          lines.push('  -> choosing ' + choice.id);
          await run(choice.id);
        }
      }
    };
    await run();
    appendFileSync(OUT, lines.join('\n') + '\n');
    expect(1).toBe(1);
  });
}
