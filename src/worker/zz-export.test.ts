import { readdirSync, readFileSync, statSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { it } from 'vitest';
import { NO_CHOICES } from '@/plan/preflight';
import { type LocalFile } from '@/sources/local-files';
import { createSession } from './session';
import { memoryStore } from './export/memory-store.fixture';
import { requestOf, RECIPE } from './export/export-group.fixture';

const ROOT = '/work/shared/cases';
function walk(dir: string, prefix = ''): LocalFile[] {
  return readdirSync(dir).sort().flatMap((name) => {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) return walk(path, `${prefix}${name}/`);
    return [{ path: prefix + name, file: new File([readFileSync(path)], name, { lastModified: 1 }) }];
  });
}
const only = (process.env['CASE'] ?? '').split(',');
for (const name of readdirSync(ROOT).filter((n) => /^\d/.test(n) && only.some((o) => n.startsWith(o)))) {
  it(name, async () => {
    const files = walk(join(ROOT, name, 'inputs'));
    const store = memoryStore();
    const session = createSession(store);
    const log = (e: { type: string }) => { if (process.env['V']) console.log(JSON.stringify(e).slice(0, 300)); };
    const o1 = await session.open({ kind: 'files', files } as never, NO_CHOICES, log);
    console.log(name, 'open', JSON.stringify(o1));
    if (o1.status !== 'done') return;
    console.log(name, 'load', JSON.stringify(await session.load(log)));
    const recipe = { ...RECIPE, lambda: Number(process.env['LAMBDA'] ?? 0.5), valueDtype: process.env['VD'] ?? 'F16' } as never;
    console.log(name, 'run', JSON.stringify(await session.run(recipe, log)));
    const o = await session.export(requestOf(recipe), log);
    console.log(name, 'export', JSON.stringify(o));
    if (o.status === 'done') for (const [path, bytes] of store.files) { const p = `/tmp/lead/exports/${name}/${path}`; mkdirSync(dirname(p), { recursive: true }); writeFileSync(p, bytes); }
  });
}
